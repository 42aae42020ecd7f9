import { randomBytes } from 'node:crypto';

/** An id that nobody can guess: a prefix and 128 random bits. */
export function newId(prefix: 'file-' | 'batch_' | 'batch_req_' | 'resp_' | 'conv_' | ItemPrefix): string {
  return prefix + randomBytes(16).toString('hex');
}

/** Whether a name is the id of a file. */
export const isFileId = (name: string): boolean => /^file-[\da-f]{32}$/.test(name);

const itemPrefixes = {
  message: 'msg_',
  reasoning: 'rs_',
  function_call: 'fc_',
  function_call_output: 'fco_',
  custom_tool_call: 'ctc_',
  custom_tool_call_output: 'ctco_',
} as const;

type ItemPrefix = (typeof itemPrefixes)[keyof typeof itemPrefixes] | 'item_';

/** A new id of an item of this type; a message may have none. */
export function newItemId(type: unknown): string {
  const name = String(type ?? 'message');
  return newId(Object.hasOwn(itemPrefixes, name) ? itemPrefixes[name as keyof typeof itemPrefixes] : 'item_');
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
