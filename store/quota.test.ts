import { expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createRunningBatch, storeFile } from '../test/harness/stored-batch.ts';

const newFile = { owner: 'app', filename: 'a', purpose: 'batch', expiresAt: null };
const of = (size: number) => Buffer.alloc(size);

it('a file may be as large as its limit', async () => {
  await using test = await openTestStore({ maxFileSize: 100 });
  await storeFile(test.store, of(100));
  await expect(storeFile(test.store, of(101))).rejects.toMatchObject({ limit: 'file', bytes: 100 });
  await expect(storeFile(test.store, of(51), { limit: 50 })).rejects.toMatchObject({
    limit: 'file',
    bytes: 50,
  });
  expect(test.store.usage()).toEqual({ files: 1, bytes: 100 });
});

it('the files of a key, and all files, stay within their limits', async () => {
  await using test = await openTestStore({ maxSize: 250, maxSizePerKey: 100 });
  await storeFile(test.store, of(60));
  await expect(storeFile(test.store, of(41))).rejects.toMatchObject({ limit: 'key', bytes: 100 });
  await storeFile(test.store, of(40));
  await expect(test.store.files.create(newFile)).rejects.toMatchObject({ limit: 'key' });
  await storeFile(test.store, of(100), { owner: 'b' });
  await expect(storeFile(test.store, of(51), { owner: 'c' })).rejects.toMatchObject({
    limit: 'store',
    bytes: 250,
  });
  expect(test.store.room('c')).toEqual({ limit: 'store', most: 250, left: 50 });
  expect(test.store.usageByOwner()).toEqual([
    { owner: 'app', files: 2, bytes: 100 },
    { owner: 'b', files: 1, bytes: 100 },
  ]);
});

it('uploads at the same time share the room, and give it back when they fail', async () => {
  await using test = await openTestStore({ maxSize: 100 });
  const { files } = test.store;
  await using first = await files.create(newFile);
  {
    await using second = await files.create({ ...newFile, owner: 'b' });
    await first.write(of(60));
    await second.write(of(40));
    await expect(first.write(of(1))).rejects.toMatchObject({ limit: 'store' });
  }
  await first.write(of(40));
  await first.commit();
  expect(test.store.usage()).toEqual({ files: 1, bytes: 100 });
});

it('results count from when they are recorded, and no more when their batch is removed', async () => {
  await using test = await openTestStore();
  const { batches, files } = test.store;
  const { id, inputFileId } = await createRunningBatch(test.store, 2);
  files.delete('app', inputFileId);
  const input = test.store.usage('app').bytes;
  await batches.finishLines(id, [
    { number: 1, state: 'completed', text: '123456789' },
    { number: 2, state: 'failed', text: '1234' },
  ]);
  expect(test.store.usage('app').bytes).toBe(input + 15);
  batches.transition(id, 'finalizing');
  batches.transition(id, 'completed');
  expect(test.store.usage('app')).toEqual({ files: 2, bytes: 15 });
  batches.delete('app', id);
  expect(test.store.usage()).toEqual({ files: 0, bytes: 0 });
});
