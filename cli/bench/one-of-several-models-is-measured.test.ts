import { expect, it } from 'vitest';
import { benchReport, startBench } from '../../test/harness/start-bench.ts';
import { startServedModels } from '../../test/harness/start-served-models.ts';
import { demoModelFile } from '../../test/services/demo-models.ts';

it('one of several models is measured, by its id or an alias', async () => {
  await using served = await startServedModels({
    models: [
      { id: 'guide', path: await demoModelFile('guide'), ctx: 2048, parallel: 1, pin: true },
      { id: 'tales', path: await demoModelFile('tales'), ctx: 2048, parallel: 1 },
      { id: 'vectors', path: await demoModelFile('embeddings'), kind: 'embeddings', ctx: 512 },
    ],
    aliases: [{ name: 'latest', targets: [{ model: 'tales' }] }],
  });
  const run = [served.origin, '--warmup', '0', '--requests', '2', '--concurrency', '1', '--max-tokens', '4'];

  const unnamed = await startBench(run).outcome;
  expect(unnamed).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/lists several models; name one with --model: guide, tales, latest/),
  });
  const ofOtherKind = await startBench([...run, '--model', 'vectors']).outcome;
  expect(ofOtherKind).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(
      /model_kind_mismatch\): "vectors" is a model of the kind embeddings, .*: guide, tales, latest/,
    ),
  });
  const unknown = await startBench([...run, '--model', 'nobody']).outcome;
  expect(unknown.stderr).toMatch(/model_not_found\): "nobody" is none of its chat models; .*: guide, tales/);

  const report = await benchReport([...run, '--model', 'latest']);
  expect(report.conditions.model).toBe('latest');
  expect(report.steps[0]?.requests).toMatchObject({ done: 2, failed: 0 });
  // It was loaded for the first request.
  expect((await served.model('tales')).status).toBe('loaded');
});
