import { expect, it } from 'vitest';
import { openTestStore } from '../../test/harness/open-test-store.ts';
import { describeBatches } from './batch-rows.ts';

it('shows the batches that have not ended, at most twenty, and the size of the store', async () => {
  await using test = await openTestStore({ maxSize: 500 });
  const { store } = test;
  await using writer = await store.files.create({
    ...{ owner: 'app', filename: 'in.jsonl', purpose: 'batch', expiresAt: null },
  });
  await writer.write(Buffer.from('{}\n'));
  const { id: inputFileId } = await writer.commit();
  const ids = Array.from({ length: 22 }, () => {
    const created = store.batches.create({
      ...{ owner: 'app', dialect: 'openai', endpoint: '/v1/embeddings', inputFileId },
      ...{ metadata: null, outputExpiresAfter: null },
    });
    if (typeof created === 'string') throw new Error(created);
    return created.batch.id;
  });
  const [ended = '', first = ''] = ids;
  store.batches.transition(ended, 'failed');
  const line = { offset: 0, length: 2, sortKey: Buffer.of(1) };
  store.batches.addLines(first, [
    { number: 1, customId: 'a', ...line },
    { number: 2, customId: 'b', ...line },
    { number: 3, customId: 'c', ...line },
  ]);
  store.batches.transition(first, 'in_progress', { model: 'demo', reason: 'no slots' });
  await store.batches.finishLines(first, [
    { number: 1, state: 'completed' },
    { number: 2, state: 'failed' },
  ]);
  const shown = describeBatches({ statistics: store.statistics(), open: store.batches.open() }, false);
  expect(shown).toMatchObject({ unfinished: 21, bytes: 3, maxBytes: 500, runnerUp: false });
  expect(shown).toMatchObject({ responses: 0, conversations: 0, background: { queued: 0, inProgress: 0 } });
  expect(shown.batches).toHaveLength(20);
  expect(shown.batches[0]).toEqual({
    id: first,
    ...{ owner: 'app', status: 'in_progress', model: 'demo', reason: 'no slots' },
    ...{ total: 3, ended: 2, failed: 1, outputTokens: 0 },
  });
});
