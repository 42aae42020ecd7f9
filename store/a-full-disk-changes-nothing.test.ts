import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../scripts/project-folders.ts';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { createBatch, createRunningBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import { noResponses, saveTurn } from '../test/harness/stored-responses.ts';

/** In a process that cannot write any file beyond so many KiB: to it the disk is full. */
const useStore = ({ folder }: TestStore, mostKiB: number, ...args: readonly string[]) =>
  execFileSync(
    'sh',
    ['-c', `ulimit -f ${mostKiB * 2}; exec "$@"`, 'sh', process.execPath].concat(
      join(projectFolder, 'test/harness/programs/use-store.ts'),
      ...args,
    ),
    { env: { DATA_DIR: folder }, encoding: 'utf8' },
  ).trim();

it('an upload fails, and leaves nothing', async () => {
  await using test = await openTestStore();
  const kept = await storeFile(test.store, 'kept');
  expect(useStore(test, 512, 'upload', '1000000')).toBe('StoreUnavailable disk-full');
  expect(readdirSync(join(test.folder, 'files'))).toEqual([kept.id]);
  expect(useStore(test, 512, 'upload', '1000')).toBe('done');
  expect(test.store.usage()).toEqual({ files: 2, ...noResponses, bytes: 1004 });
});

it('lines are added all or not at all', async () => {
  await using test = await openTestStore();
  const { id } = await createBatch(test.store);
  expect(useStore(test, 256, 'add', id, '50000')).toMatch(/^StoreUnavailable (?:disk-full|io-error)$/);
  expect(test.store.batches.nextLines(id, 1)).toEqual([]);
  expect(test.store.batches.get('app', id)?.counts.total).toBe(0);
  expect(useStore(test, 100_000, 'add', id, '50000')).toBe('done');
});

it.each([
  ['the result', 3000, 100_000, 40],
  ['the record of it', 700, 10, 3000],
])('results are recorded once, also if %s did not fit at first', async (_, mostKiB, size, lineCount) => {
  await using test = await openTestStore();
  const { batches } = test.store;
  const { id } = await createRunningBatch(test.store, lineCount);
  expect(useStore(test, mostKiB, 'finish', id, `${size}`)).toMatch(
    /^StoreUnavailable (?:disk-full|io-error)$/,
  );
  const before = batches.get('app', id)?.counts.completed;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(lineCount);
  expect(useStore(test, 100_000, 'finish', id, `${size}`)).toBe('done');
  batches.transition(id, 'finalizing');
  const ended = batches.transition(id, 'completed');
  const lines = await Promise.all(
    [ended?.outputFileId, ended?.errorFileId].map((file) => readText(test.store, file)),
  );
  expect(new Set(lines.join('').trimEnd().split('\n')).size).toBe(lineCount);
  expect(lines.join('')).toHaveLength(lineCount * (size + 1));
});

it('a response is stored with its items and its place in a conversation, or not at all', async () => {
  await using test = await openTestStore();
  const { conversations, responses } = test.store;
  const { id: conversationId } = conversations.create('app', [], {});
  const kept = saveTurn(test.store, 'kept', { conversationId });
  const lines = useStore(test, 2000, 'turns', '1000', '2000').split('\n');
  expect(lines.pop()).toMatch(/^StoreUnavailable (?:disk-full|io-error)$/);
  expect(lines.length).toBeGreaterThan(10);
  const last = lines.at(-1) ?? '';
  expect(test.store.usage()).toMatchObject({ responses: lines.length + 1 });
  const history = [...responses.historyBackwards('app', { previousId: last })];
  expect(history).toHaveLength(2 * lines.length);
  expect([...responses.historyBackwards('app', { previousId: kept })]).toHaveLength(2);
  expect(useStore(test, 100_000, 'turns', '10', '2000').split('\n').at(-1)).toBe('done');
  await test.store.purge({});
  expect(test.store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
});
