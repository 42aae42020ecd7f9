import { expect, it } from 'vitest';
import { engineHints } from '../../../supervisor/engine/crash-class.ts';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const onVast = { VAST_CONTAINERLABEL: 'C.123' };
/** What a PyWorker is set up to look for: `on_load` and `on_error`. */
const ready = 'llama-corral is ready';
const failed = 'llama-corral has failed:';

const begunBy = (words: string, output: string) =>
  output.split('\n').filter((line) => line.startsWith(words));

it.each(['text', 'json', 'logfmt'])('in its own words, whatever the format (%s)', async (format) => {
  await using house = await startDeployment({ env: { ...onVast, LOG_FORMAT: format } });
  await house.reachesStatus('ready');
  await waitFor('the line', () => begunBy(ready, house.output()).length > 0);
  expect(begunBy(ready, house.output())).toEqual([ready]);
  expect(house.output()).not.toContain(failed);
});

it('or has failed', async () => {
  await using house = await startDeployment({ scenario: 'crash', env: onVast });
  expect(await house.exitCode()).toBe(3);
  expect(begunBy(failed, house.output())).toEqual([
    `${failed} giving up on llama-server at its first start (bad-model): ${engineHints['bad-model']}`,
  ]);
  expect(house.output()).not.toContain(ready);
});

it('and nobody else does', async () => {
  await using house = await startDeployment();
  await house.reachesStatus('ready');
  await waitFor('the first token', () => house.output().includes('the first token came'));
  expect(house.output()).not.toContain(ready);
});
