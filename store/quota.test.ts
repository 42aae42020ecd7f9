import { expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createRunningBatch, storeFile } from '../test/harness/stored-batch.ts';
import {
  assistantMessage,
  createInBackground,
  noResponses,
  saveTurn,
} from '../test/harness/stored-responses.ts';
import { openStore } from './store.ts';

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
  expect(test.store.usage()).toEqual({ files: 1, ...noResponses, bytes: 100 });
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
    { owner: 'app', files: 2, ...noResponses, bytes: 100 },
    { owner: 'b', files: 1, ...noResponses, bytes: 100 },
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
  expect(test.store.usage()).toEqual({ files: 1, ...noResponses, bytes: 100 });
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
  expect(test.store.usage('app')).toEqual({ files: 2, ...noResponses, bytes: 15 });
  batches.delete('app', id);
  expect(test.store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
});

it('responses and conversations count, and what does not fit is not stored', async () => {
  await using test = await openTestStore({ maxSize: 12_000, maxSizePerKey: 8000 });
  const { store } = test;
  const big = (letter: string) => letter.repeat(1500);
  const first = saveTurn(store, big('a'));
  const { bytes } = store.usage('app');
  expect(bytes).toBeGreaterThan(3000);
  const { id } = createInBackground(store, big('b'));
  const before = store.usage();
  expect(() => saveTurn(store, big('c'))).toThrow(expect.objectContaining({ limit: 'key', bytes: 8000 }));
  expect(() => createInBackground(store, 'x'.repeat(6000))).toThrow(
    expect.objectContaining({ limit: 'key' }),
  );
  const conversation = store.conversations.create('app', [], {});
  const item = { item: { type: 'message', role: 'user', content: 'x'.repeat(6000) } };
  expect(() => store.conversations.addItems('app', conversation.id, [item])).toThrow(
    expect.objectContaining({ limit: 'key' }),
  );
  expect(() => store.conversations.create('app', [item], {})).toThrow(
    expect.objectContaining({ limit: 'key' }),
  );
  expect(store.usage()).toEqual({ ...before, conversations: 1, bytes: before.bytes + 2 });
  expect(() => saveTurn(store, 'x'.repeat(3800), { owner: 'b' })).toThrow(
    expect.objectContaining({ limit: 'store' }),
  );
  // A background response that was accepted ends in any case.
  const output = [assistantMessage('x'.repeat(6000))];
  expect(store.responses.finish(id, 'completed', { output })).toBe(true);
  expect(store.room('app').left).toBeLessThan(0);
  for (const response of [first, id]) store.responses.delete('app', response);
  expect(store.usage('app').bytes).toBe(2);
});

it('an unknown conversation is unknown, also if its owner has stored more than is allowed by now', async () => {
  await using test = await openTestStore({ role: 'gateway' });
  const { id } = test.store.conversations.create('app', [], { topic: 'a' });
  using store = openStore({ ...test.config, maxSizePerKey: 1 }, { role: 'gateway' });
  expect(store.conversations.update('app', 'conv_0', {})).toBeUndefined();
  expect(() => store.conversations.update('app', id, { topic: 'b' })).toThrow(
    expect.objectContaining({ limit: 'key' }),
  );
});
