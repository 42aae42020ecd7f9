import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** A ready deployment whose llama-server loads until the file `loaded` exists. */
async function startReadyDeployment() {
  const deployment = await startDeployment({ scenario: 'slow' });
  const loaded = join(deployment.modelFolder, 'loaded');
  writeFileSync(loaded, '');
  await deployment.reachesStatus('ready');
  const [engine = 0, gateway = 0] = deployment.children();
  return { deployment, engine, gateway, loaded };
}

/** Both children once one of them has been replaced. */
async function afterRestart(deployment: RunningDeployment, dead: number) {
  await waitFor(
    'a new child',
    () => deployment.children().length === 2 && !deployment.children().includes(dead),
  );
  await deployment.reachesStatus('ready');
  return deployment.children();
}

describe('a crashed child is restarted without an effect on the other', () => {
  it('llama-server is restarted after a delay, and its last lines are logged', async () => {
    const { deployment, engine, gateway, loaded } = await startReadyDeployment();
    await using _ = deployment;
    rmSync(loaded);
    killProcess(engine, 'SIGKILL');
    await waitFor('the crash to be noticed', async () => (await deployment.status()).standing !== 'ready');
    expect((await deployment.request('/ping')).status).toBe(204);
    expect((await deployment.request('/readyz')).status).toBe(503);
    expect((await deployment.request('/startupz')).status).toBe(200);
    writeFileSync(loaded, '');
    expect(await afterRestart(deployment, engine)).toContain(gateway);
    expect(await deployment.status()).toMatchObject({
      restarts: { engine: 1, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'killed', signal: 'SIGKILL' },
    });
    expect(deployment.output()).toContain('llama-server was terminated by SIGKILL');
    expect(deployment.output()).toContain('fake: listening');
  });

  it('the gateway is restarted at once, and the model stays loaded', async () => {
    const { deployment, engine, gateway } = await startReadyDeployment();
    await using _ = deployment;
    killProcess(gateway, 'SIGKILL');
    expect(await afterRestart(deployment, gateway)).toContain(engine);
    expect(isRunning(engine)).toBe(true);
    expect((await fetch(`http://127.0.0.1:${deployment.gatewayPort}/livez`)).status).toBe(200);
    expect(await deployment.status()).toMatchObject({ restarts: { engine: 0, gateway: 1 } });
  });
});
