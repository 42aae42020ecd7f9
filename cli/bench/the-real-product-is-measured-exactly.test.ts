import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { benchReport } from '../../test/harness/start-bench.ts';
import { type Demo, startDemo } from '../../test/harness/start-demo.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';

const measure = (demo: Demo, ...args: string[]) =>
  benchReport([demo.corral.origin, '--warmup', '0', '--max-tokens', '16', ...args], {
    CORRAL_API_KEY: demo.apiKey,
  });

it('counts every token like the engine, with and without streaming', async () => {
  await using demo = await startDemo();
  await using folder = await temporaryFolder();
  await writeFile(folder.file('prompts'), 'Tell me about keys\n{"prompt":"a long story"}\n');
  const load = ['--concurrency', '3', '--requests', '6', '--prompts', folder.file('prompts')];
  for (const how of [[], ['--plain'], ['--path', 'completions', '--body', '{"ignore_eos":true}']]) {
    const { steps, conditions } = await measure(demo, ...load, ...how);
    expect(conditions.prompts).toMatch(/^prompts [0-9a-f]{12}$/);
    expect(conditions.model).not.toBe('');
    expect(steps[0]).toMatchObject({
      requests: { done: 6, failed: 0, abandoned: 0 },
      tokens: { output: 6 * 16, from: 'usage' },
      errors: [],
      queueWaitMs: { count: 6 },
    });
  }
});

it('creates prompts of the wanted length in tokens of the model', async () => {
  await using demo = await startDemo();
  const { steps } = await measure(demo, '--prompt-tokens', '50,200', '--concurrency', '1', '--requests', '3');
  const means = steps.map(({ tokens, requests }) => (tokens.input ?? 0) / requests.done);
  for (const [index, wanted] of [50, 200].entries()) {
    expect(means[index]).toBeGreaterThan(wanted * 0.85);
    expect(means[index]).toBeLessThan(wanted * 1.15);
  }
});

it('counts no error when a bare engine closes kept-alive connections', async () => {
  await using demo = await startDemo();
  const url = `unix:${demo.engine.backend.address.socketPath}`;
  const { steps } = await benchReport(
    [url, '--concurrency', '4', '--requests', '40', '--warmup', '0', '--max-tokens', '4'],
    { CORRAL_API_KEY: demo.engine.apiKey ?? '' },
  );
  expect(steps[0]).toMatchObject({
    requests: { done: 40, failed: 0 },
    tokens: { output: 160, from: 'usage' },
    errors: [],
  });
});
