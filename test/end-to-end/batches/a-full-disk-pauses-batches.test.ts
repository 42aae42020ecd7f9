import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** All writes of the process to files fail, or work again. */
const limitWrites = (pid: number, size: '0' | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);

it('it says so, serves other requests, and goes on when there is room, with every result', async () => {
  await using product = await startBatchRunner();
  const { store, deployment } = product;
  const lines = chatLines(200);
  const batch = await createBatchOfLines(store, lines);
  await waitFor('some results', () => currentBatch(store, batch).counts.completed >= 20);
  const runner = product.pidOf('runner') ?? 0;
  limitWrites(runner, '0');
  await waitFor('the pause', () => deployment.output().includes('batches are paused'));
  expect(deployment.output()).toContain('the disk of DATA_DIR is full');
  const { completed } = currentBatch(store, batch).counts;
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': defaultKeys.app.secret, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'keys' }], temperature: 0 }),
  });
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  expect(choices[0]?.message.content).toBe(storyText('keys'));
  expect(currentBatch(store, batch)).toMatchObject({
    status: 'in_progress',
    counts: { completed, failed: 0 },
  });

  limitWrites(runner, 'unlimited');
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', reason: null, counts: { completed: 200 } });
  const results = await allResults(store, ended);
  expect(results.map(chatTextOf)).toEqual(lines.map((_, n) => storyOf(n).text));
  expect(product.pidOf('runner')).toBe(runner);
});
