import { expect, it } from 'vitest';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('each line of a batch gets its answer, to the byte', async () => {
  await using product = await startBatchRunner();
  const { store } = product;
  const batch = await createBatchOfLines(store, chatLines(100));
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

it('a batch whose file is deleted meanwhile goes on to its end', async () => {
  await using product = await startBatchRunner();
  const { store } = product;
  const batch = await createBatchOfLines(store, chatLines(100));
  await waitFor('some results', () => currentBatch(store, batch).counts.completed >= 10);
  expect(store.files.delete('app', batch.inputFileId)).toBe(true);
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', counts: { completed: 100 } });
  expect((await allResults(store, ended)).map(chatTextOf)).toEqual(
    chatLines(100).map((_, n) => storyOf(n).text),
  );
});

it('a batch whose key has used up its tokens for today waits, and says why', async () => {
  const { secret } = defaultKeys.app;
  await using product = await startBatchRunner({ keys: { app: { secret, limits: { tokensPerDay: 1000 } } } });
  const { store } = product;
  const batch = await createBatchOfLines(store, chatLines(100));
  const waiting = await waitFor('the reason', () => {
    const now = currentBatch(store, batch);
    return now.reason === null ? undefined : now;
  });
  expect(waiting).toMatchObject({ status: 'in_progress', counts: { failed: 0 } });
  expect(waiting.reason).toContain('of its 1000 tokens for today');
  expect(waiting.counts.completed).toBeGreaterThan(0);
  product.setKeys(defaultKeys);
  const url = `http://127.0.0.1:${product.deployment.gatewayPort}/v1/chat/completions`;
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 });
  const headers = { 'x-api-key': secret, 'content-type': 'application/json' };
  await waitFor('the new limit', async () => (await fetch(url, { method: 'POST', headers, body })).ok);
  // A new runner does not know that the batch had to wait.
  killProcess(product.pidOf('runner'), 'SIGKILL');
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', reason: null, counts: { completed: 100 } });
});
