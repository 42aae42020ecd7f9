import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import {
  allResults,
  chatLine,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  resultsOf,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';

const crashingEngine = join(import.meta.dirname, '../../fakes/crashing-engine.ts');
const chatOf = (content: string, fields: object = {}) =>
  chatLine({ messages: [{ role: 'user', content }], ...fields });

it('what the API refuses is in the error file, and all others get their answers', async () => {
  await using product = await startBatchRunner({ env: { STRICT_MODEL: 'true' } });
  const { store } = product;
  const image = [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }];
  const lines = [
    ...chatLines(10),
    { custom_id: 'bad-10', ...chatOf('hi', { temperature: 'hot' }) },
    { custom_id: 'bad-11', ...chatOf(image as never) },
    { custom_id: 'bad-12', ...chatOf('word '.repeat(20_000)) },
  ];
  const ended = await untilEnded(store, await createBatchOfLines(store, lines));
  expect(ended).toMatchObject({ status: 'completed', counts: { total: 13, completed: 10, failed: 3 } });
  const results = await allResults(store, ended);
  expect(results.slice(0, 10).map(chatTextOf)).toEqual(chatLines(10).map((_, n) => storyOf(n).text));
  const failed = await resultsOf(store, ended.errorFileId);
  expect(failed.map(({ custom_id }) => custom_id).toSorted()).toEqual(['bad-10', 'bad-11', 'bad-12']);
  for (const { response, error } of failed) {
    expect([response?.status_code, error]).toEqual([400, null]);
    expect(response?.body.error).toMatchObject({ message: expect.any(String), code: expect.any(String) });
  }

  const unknown = chatLines(3, 'line', { model: 'other' });
  const none = await untilEnded(store, await createBatchOfLines(store, unknown));
  expect(none).toMatchObject({ status: 'completed', counts: { failed: 3 }, outputFileId: null });
  const codes = (await allResults(store, none)).map(({ response }) => response?.body.error.code);
  expect(codes).toEqual(Array(3).fill('model_not_found'));
});

it('a line that crashes the engine becomes one, too, and the batch goes on', async () => {
  const { command, args, ...engine } = inject('engine');
  const crashing = { ...engine, command: process.execPath, args: [crashingEngine, command, ...args] };
  await using product = await startBatchRunner({ engine: crashing });
  const { store } = product;
  const lines = chatLines(40);
  lines.splice(7, 1, { custom_id: 'poison-7', ...chatOf('die at once') });
  const ended = await untilEnded(store, await createBatchOfLines(store, lines));
  expect(ended).toMatchObject({ status: 'completed', counts: { completed: 39, failed: 1 } });
  const [poison] = await resultsOf(store, ended.errorFileId);
  expect(poison?.custom_id).toBe('poison-7');
  const { status_code: status, body } = poison?.response ?? {};
  // Blocked as the cause, or given up after MAX_REPLAYS while others that ran beside it might have been.
  expect([
    [422, 'engine_crashed'],
    [502, 'bad_gateway'],
  ]).toContainEqual([status, body?.error.code]);
  const texts = (await allResults(store, ended)).map(chatTextOf);
  expect(texts.toSpliced(7, 1)).toEqual(lines.map((_, n) => storyOf(n).text).toSpliced(7, 1));
  await product.deployment.reachesStatus('ready');
});
