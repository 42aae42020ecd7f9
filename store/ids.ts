import { randomBytes } from 'node:crypto';

/** An id that nobody can guess: a prefix and 128 random bits. */
export function newId(prefix: 'file-' | 'batch_' | 'batch_req_'): string {
  return prefix + randomBytes(16).toString('hex');
}

/** The id of a batch as Anthropic's API has it: `msgbatch_` and the same digits. */
export function toMessageBatchId(batchId: string): string {
  return batchId.replace(/^batch_/, 'msgbatch_');
}

/** The id of the batch; undefined for what is not the id of a message batch. */
export function fromMessageBatchId(messageBatchId: string): string | undefined {
  return messageBatchId.startsWith('msgbatch_') ? messageBatchId.replace(/^msgbatch_/, 'batch_') : undefined;
}

/** Seconds since 1970, as the APIs have times. */
export const now = () => Math.floor(Date.now() / 1000);
