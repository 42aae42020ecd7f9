import { expect, it } from 'vitest';
import { engineHints } from '../../../supervisor/engine/crash-class.ts';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const onVast = { VAST_CONTAINERLABEL: 'C.123' };
/** The texts that a PyWorker is configured to look for: `on_load` and `on_error`. */
const ready = 'llama-corral is ready';
const failed = 'llama-corral has failed:';

const linesStarting = (prefix: string, output: string) =>
  output.split('\n').filter((line) => line.startsWith(prefix));

it.each(['text', 'json', 'logfmt'])(
  'Vast gets the expected line when the model is ready, in every log format (%s)',
  async (format) => {
    await using deployment = await startDeployment({ env: { ...onVast, LOG_FORMAT: format } });
    await deployment.reachesStatus('ready');
    await waitFor('the line for Vast', () => linesStarting(ready, deployment.output()).length > 0);
    expect(linesStarting(ready, deployment.output())).toEqual([ready]);
    expect(deployment.output()).not.toContain(failed);
  },
);

it('Vast gets the expected line when the model has failed', async () => {
  await using deployment = await startDeployment({ scenario: 'crash', env: onVast });
  expect(await deployment.exitCode()).toBe(3);
  expect(linesStarting(failed, deployment.output())).toEqual([
    `${failed} giving up on llama-server at its first start (bad-model): ${engineHints['bad-model']}`,
  ]);
  expect(deployment.output()).not.toContain(ready);
});

it('other platforms do not get these lines', async () => {
  await using deployment = await startDeployment();
  await deployment.reachesStatus('ready');
  await waitFor('the first token', () => deployment.output().includes('first token received'));
  expect(deployment.output()).not.toContain(ready);
});
