import { randomBytes } from 'node:crypto';
import type { Batch } from '../../store/batch.ts';
import type { NewLine } from '../../store/batch-line.ts';
import type { NewBatch } from '../../store/batches.ts';
import type { NewFile } from '../../store/files.ts';
import type { Store } from '../../store/store.ts';
import type { StoredFile } from '../../store/stored-file.ts';

/** Stores a file of the key `app`, if nothing else is said. */
export async function storeFile(
  { files }: Store,
  content: Uint8Array | string,
  changes: Partial<NewFile> = {},
): Promise<StoredFile> {
  const file = { owner: 'app', filename: 'in.jsonl', purpose: 'batch', expiresAt: null, ...changes };
  await using writer = await files.create(file);
  await writer.write(Buffer.from(content));
  return await writer.commit();
}

/** A batch of the key `app` with its input file, whose content does not matter. */
export async function createBatch(store: Store, changes: Partial<NewBatch> = {}): Promise<Batch> {
  const owner = changes.owner ?? 'app';
  const created = store.batches.create({
    owner,
    dialect: 'openai',
    endpoint: '/v1/chat/completions',
    inputFileId: changes.inputFileId ?? (await storeFile(store, 'content', { owner })).id,
    metadata: null,
    outputExpiresAfter: null,
    ...changes,
  });
  if (typeof created === 'string') throw new Error(created);
  return created.batch;
}

/** A batch that is in progress with so many lines, numbered from 1, in any order. */
export async function createRunningBatch(store: Store, lineCount: number): Promise<Batch> {
  const { id } = await createBatch(store);
  store.batches.addLines(id, newLines(1, lineCount));
  const batch = store.batches.transition(id, 'in_progress');
  if (batch === undefined) throw new Error('the batch cannot be in progress');
  return batch;
}

export function newLines(first: number, count: number): NewLine[] {
  return Array.from({ length: count }, (_, index) => ({
    number: first + index,
    offset: (first + index - 1) * 100,
    length: 99,
    customId: `request-${first + index}`,
    sortKey: randomBytes(8),
  }));
}

/** The complete content of a file. */
export async function readText({ files }: Store, id: string | null | undefined): Promise<string> {
  if (id === null || id === undefined) throw new Error('there is no such file');
  return Buffer.concat(await files.read(id).toArray()).toString();
}
