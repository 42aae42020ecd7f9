import { expect, inject, it } from 'vitest';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('SIGHUP reloads the keys, and does not kill a gateway that is starting', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
  });
  await waitFor('two children', () => deployment.children().length === 2);
  const children = deployment.children();
  for (let n = 0; n < 10; n++) deployment.process.kill('SIGHUP');
  await deployment.reachesStatus('ready');
  deployment.process.kill('SIGHUP');
  await waitFor('the gateway to read them', () =>
    deployment.output().includes('API keys reloaded on SIGHUP'),
  );
  expect(deployment.children()).toEqual(children);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 0, gateway: 0 } });
});
