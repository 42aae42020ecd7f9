import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, createRunningBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import { waitFor } from '../test/harness/wait-for.ts';

const now = () => Math.floor(Date.now() / 1000);
const HOUR = 3600;
const contentsOf = (folder: string) => readdirSync(join(folder, 'files')).sort();
const result = [{ number: 1, state: 'completed' as const, text: 'one' }];

describe('a sweep', () => {
  it('removes files and batches when their time is over', async () => {
    await using test = await openTestStore({ retention: 10 * HOUR });
    const { store } = test;
    await storeFile(store, 'x', { expiresAt: now() + HOUR });
    const common = await storeFile(store, 'x');
    const ended = await createBatch(store, { inputFileId: common.id });
    store.batches.transition(ended.id, 'failed');
    expect(store.sweep()).toEqual({ files: 0, batches: 0 });
    expect(store.sweep(now() + HOUR)).toEqual({ files: 1, batches: 0 });
    expect(contentsOf(test.folder)).toEqual([common.id]);
    expect(store.sweep(now() + 10 * HOUR + 1)).toEqual({ files: 1, batches: 1 });
    expect(contentsOf(test.folder)).toEqual([]);
    expect(store.batches.get('app', ended.id)).toBeUndefined();
    expect(store.usage()).toEqual({ files: 0, bytes: 0 });
  });

  it('keeps what an unfinished batch needs', async () => {
    await using test = await openTestStore({ retention: HOUR });
    const { store } = test;
    const { id, inputFileId } = await createRunningBatch(store, 2);
    await store.batches.finishLines(id, result);
    expect(store.sweep(now() + 2 * HOUR)).toEqual({ files: 0, batches: 0 });
    expect(await readText(store, inputFileId)).toBe('content');
    store.batches.transition(id, 'finalizing');
    const ended = store.batches.transition(id, 'completed');
    expect(await readText(store, ended?.outputFileId)).toBe('one\n');
    expect(contentsOf(test.folder)).toEqual([ended?.outputFileId]);
  });

  it('removes what a crash has left behind, but no upload that goes on', async () => {
    await using test = await openTestStore();
    const kept = await storeFile(test.store, 'x');
    const path = (name: string) => join(test.folder, 'files', name);
    for (const name of ['file-left', 'file-current']) writeFileSync(path(name), 'x');
    const longAgo = now() - 2 * HOUR;
    for (const name of ['file-left', kept.id]) utimesSync(path(name), longAgo, longAgo);
    test.store.sweep();
    expect(contentsOf(test.folder)).toEqual([kept.id, 'file-current'].sort());
  });
});

describe('a purge', () => {
  it('of an owner leaves nothing of it, and all of the others', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const { id } = await createRunningBatch(store, 2);
    await store.batches.finishLines(id, result);
    const other = await createBatch(store, { owner: 'other' });
    expect(test.open('command').purge({ owner: 'app' })).toEqual({ files: 1, batches: 1 });
    expect(contentsOf(test.folder)).toEqual([other.inputFileId]);
    expect(store.batches.open()).toEqual([other]);
    expect(store.batches.nextLines(id, 9)).toEqual([]);
    expect(store.usageByOwner().map(({ owner }) => owner)).toEqual(['other']);
  });

  it('of what is older than a time keeps unfinished batches with their files', async () => {
    await using test = await openTestStore();
    const { store } = test;
    await storeFile(store, 'x');
    const running = await createRunningBatch(store, 1);
    const ended = await createBatch(store);
    store.batches.transition(ended.id, 'failed');
    expect(store.purge({ before: now() - HOUR })).toEqual({ files: 0, batches: 0 });
    expect(store.purge({ before: now() + HOUR })).toEqual({ files: 2, batches: 1 });
    expect(contentsOf(test.folder)).toEqual([running.inputFileId]);
    expect(store.batches.open().map(({ id }) => id)).toEqual([running.id]);
    expect(await readText(store, running.inputFileId)).toBe('content');
  });

  it('of everything also removes results that are being written', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const { id, inputFileId } = await createRunningBatch(store, 1);
    const written = store.batches.finishLines(id, [
      { number: 1, state: 'completed', text: 'x'.repeat(20_000_000) },
    ]);
    await waitFor('the result on disk', () => contentsOf(test.folder).length === 2);
    store.purge({});
    await written;
    expect(contentsOf(test.folder)).toEqual([]);
    expect(existsSync(join(test.folder, 'files', inputFileId))).toBe(false);
  });
});
