import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Ready, with a llama-server that loads for as long as `loaded` is not there. */
async function readyHouse() {
  const house = await startDeployment({ scenario: 'slow' });
  const loaded = join(house.modelFolder, 'loaded');
  writeFileSync(loaded, '');
  await house.reachesStatus('ready');
  const [engine = 0, gateway = 0] = house.children();
  return { house, engine, gateway, loaded };
}

/** Both children as they are once one of them has been replaced. */
async function afterRestart(house: RunningDeployment, dead: number) {
  await waitFor('a new child', () => house.children().length === 2 && !house.children().includes(dead));
  await house.reachesStatus('ready');
  return house.children();
}

describe('a child that dies comes back, and the other does not notice', () => {
  it('llama-server, after a pause, its end told with its last lines', async () => {
    const { house, engine, gateway, loaded } = await readyHouse();
    await using _ = house;
    rmSync(loaded);
    process.kill(engine, 'SIGKILL');
    await waitFor('it to be missed', async () => (await house.status()).standing !== 'ready');
    expect((await house.request('/ping')).status).toBe(204);
    expect((await house.request('/readyz')).status).toBe(503);
    expect((await house.request('/startupz')).status).toBe(200);
    writeFileSync(loaded, '');
    expect(await afterRestart(house, engine)).toContain(gateway);
    expect(await house.status()).toMatchObject({
      restarts: { engine: 1, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'killed', signal: 'SIGKILL' },
    });
    expect(house.output()).toContain('llama-server was terminated by SIGKILL');
    expect(house.output()).toContain('stand-in: listening');
  });

  it('the gateway, at once, and the model stays loaded', async () => {
    const { house, engine, gateway } = await readyHouse();
    await using _ = house;
    process.kill(gateway, 'SIGKILL');
    expect(await afterRestart(house, gateway)).toContain(engine);
    expect(isRunning(engine)).toBe(true);
    expect((await fetch(`http://127.0.0.1:${house.gatewayPort}/livez`)).status).toBe(200);
    expect(await house.status()).toMatchObject({ restarts: { engine: 0, gateway: 1 } });
  });
});
