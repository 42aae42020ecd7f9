import { expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createInBackground, saveTurn } from '../test/harness/stored-responses.ts';
import type { Store } from './store.ts';

async function createBatch(store: Store, lines: number): Promise<string> {
  await using writer = await store.files.create({
    ...{ owner: 'app', filename: 'in.jsonl', purpose: 'batch', expiresAt: null },
  });
  await writer.write(Buffer.from('{}\n'));
  const { id: inputFileId } = await writer.commit();
  const created = store.batches.create({
    ...{ owner: 'app', dialect: 'openai', endpoint: '/v1/embeddings', inputFileId },
    ...{ metadata: null, outputExpiresAfter: null },
  });
  if (typeof created === 'string') throw new Error(created);
  const { id } = created.batch;
  const all = Array.from({ length: lines }, (_, n) => n + 1);
  store.batches.addLines(
    id,
    all.map((number) => ({
      number,
      offset: 0,
      length: 2,
      customId: `${number}`,
      sortKey: Buffer.of(number),
    })),
  );
  return id;
}

it('counts batches by status, lines by result, and bytes; the counts of lines outlive their batch', async () => {
  await using test = await openTestStore({ maxSize: 1000 });
  const { store } = test;
  expect(store.statistics()).toMatchObject({ paused: 0, bytes: 0, maxBytes: 1000, outputTokens: 0 });
  const id = await createBatch(store, 3);
  await createBatch(store, 1);
  store.batches.transition(id, 'in_progress');
  store.batches.update(id, { reason: 'the disk is full' });
  const usage = { inputTokens: 10, cachedTokens: 0, outputTokens: 4, reasoningTokens: 0 };
  await store.batches.finishLines(id, [
    { number: 1, state: 'completed', text: 'a', usage },
    { number: 2, state: 'completed', text: 'b', usage },
    { number: 3, state: 'failed', text: 'c' },
  ]);
  const after = store.statistics();
  expect(after).toMatchObject({
    batches: { validating: 1, in_progress: 1, completed: 0, failed: 0 },
    paused: 1,
    lines: { completed: 2, failed: 1, expired: 0, cancelled: 0 },
    inputTokens: 20,
    outputTokens: 8,
    bytes: 6 + 6,
  });
  await store.purge({});
  expect(test.open('gateway').statistics()).toMatchObject({
    batches: { validating: 0, in_progress: 0 },
    paused: 0,
    lines: after.lines,
    inputTokens: 20,
    outputTokens: 8,
    bytes: 0,
  });
});

it('counts responses and conversations, and those in the background by status', async () => {
  await using test = await openTestStore();
  const { store } = test;
  saveTurn(store, 'a');
  const ids = [1, 2, 3].map(() => createInBackground(store, 'b').id);
  store.responses.begin(ids[1] ?? '');
  store.responses.cancel('app', ids[2] ?? '');
  store.conversations.create('app', [], {});
  expect(store.statistics()).toMatchObject({
    ...{ responses: 4, conversations: 1 },
    background: { queued: 1, in_progress: 1, completed: 0, incomplete: 0, failed: 0, cancelled: 1 },
  });
  await store.purge({ owner: 'app' });
  expect(store.statistics()).toMatchObject({
    responses: 0,
    conversations: 0,
    background: { queued: 0 },
    bytes: 0,
  });
});
