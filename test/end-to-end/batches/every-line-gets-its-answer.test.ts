import { expect, it } from 'vitest';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';

it('each line of a batch gets its answer, to the byte', async () => {
  await using product = await startBatchRunner();
  const { store } = product;
  const batch = await createBatch(store, chatLines(100));
  const ended = await untilEnded(store, batch).catch((error) => {
    throw new Error(`${error.message}\n${product.deployment.output()}`);
  });
  expect(ended).toMatchObject({
    status: 'completed',
    counts: { total: 100, completed: 100, failed: 0 },
    errorFileId: null,
    model: 'demo',
    errors: [],
  });
  const results = await allResults(store, ended);
  expect(results.map(({ custom_id }) => custom_id)).toEqual(chatLines(100).map(({ custom_id }) => custom_id));
  expect(results.map(chatTextOf)).toEqual(results.map((_, n) => storyOf(n).text));
  for (const { id, response, error } of results) {
    expect(id).toMatch(/^batch_req_[0-9a-f]{32}$/);
    expect([response?.status_code, error]).toEqual([200, null]);
  }
  const sum = (name: string) =>
    results.reduce((total, { response }) => total + response?.body.usage[name], 0);
  expect(ended.usage).toMatchObject({
    inputTokens: sum('prompt_tokens'),
    outputTokens: sum('completion_tokens'),
  });
});
