import { expect, inject, it } from 'vitest';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('also while the gateway starts, which it survives', async () => {
  await using house = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
  });
  await waitFor('two children', () => house.children().length === 2);
  const children = house.children();
  for (let n = 0; n < 10; n++) house.process.kill('SIGHUP');
  await house.reachesStatus('ready');
  house.process.kill('SIGHUP');
  await waitFor('the gateway to read them', () => house.output().includes('API keys reloaded on SIGHUP'));
  expect(house.children()).toEqual(children);
  expect(await house.status()).toMatchObject({ restarts: { engine: 0, gateway: 0 } });
});
