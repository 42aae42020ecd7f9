import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const gatewayOf = (house: RunningDeployment) => {
  const isGateway = (pid: number) => /gateway/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return house.children().find((pid) => isRunning(pid) && isGateway(pid)) ?? 0;
};
const statusesOf = (house: RunningDeployment) =>
  Promise.all(['/readyz', '/ping', '/livez'].map(async (path) => (await house.request(path)).status));
const becomes = (house: RunningDeployment, statuses: readonly number[]) =>
  waitFor(`the probes to be told ${statuses.join()}`, async () =>
    (await statusesOf(house)).every((status, index) => status === statuses[index]),
  );

async function story({ gatewayPort }: RunningDeployment) {
  const answer = await fetch(`http://127.0.0.1:${gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
  });
  const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
  return { status: answer.status, text: choices?.[0]?.message.content };
}

const startReal = (env: Record<string, string>) =>
  startDeployment({ real: { engine: inject('engine'), model: inject('demoModel') }, env });

describe.concurrent('a gateway that hangs is noticed and replaced', () => {
  it('while the model stays loaded and the platform is told that nobody is served', async () => {
    await using house = await startReal({ HANG_TIMEOUT: '6s' });
    await house.reachesStatus('ready');
    const gateway = gatewayOf(house);
    const [engine = 0] = house.children();
    process.kill(gateway, 'SIGSTOP');
    await becomes(house, [503, 503, 200]);
    expect(await house.status()).toMatchObject({ standing: 'restarting', gatewayUp: false });
    await house.reachesStatus('ready');
    expect(await house.status()).toMatchObject({
      restarts: { engine: 0, gateway: 1 },
      crashes: { gateway: { hung: 1 } },
      lastCrash: { who: 'gateway', class: 'hung', signal: 'SIGKILL' },
    });
    expect(house.output()).toContain('gateway unresponsive for 5 s');
    expect(house.output()).toContain('gateway hung: no response for 6 s (HANG_TIMEOUT)');
    expect([isRunning(gateway), isRunning(engine)]).toEqual([false, true]);
    expect(await story(house)).toEqual({ status: 200, text: storyText('survival') });
  });

  it('also where the engine dies meanwhile, and nothing is left of either', async () => {
    await using house = await startReal({ HANG_TIMEOUT: '1s', RESTART_DELAY_MIN: '50ms' });
    await house.reachesStatus('ready');
    const before = house.children();
    process.kill(gatewayOf(house), 'SIGSTOP');
    process.kill(before[0] ?? 0, 'SIGKILL');
    await waitFor('two restarts', async () => {
      const { standing, restarts } = await house.status();
      const { engine, gateway } = restarts as { engine: number; gateway: number };
      return standing === 'ready' && engine === 1 && gateway === 1;
    });
    expect(await story(house)).toEqual({ status: 200, text: storyText('survival') });
    const after = house.children();
    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
    expect([...before, ...after].filter(isRunning)).toEqual([]);
  });
});

describe.concurrent('a gateway is left alone', () => {
  it('when it answers again in time, and the probes are told so', async () => {
    await using house = await startDeployment({ env: { HANG_TIMEOUT: '1h' } });
    await house.reachesStatus('ready');
    const gateway = gatewayOf(house);
    process.kill(gateway, 'SIGSTOP');
    await becomes(house, [503, 503, 200]);
    process.kill(gateway, 'SIGCONT');
    await becomes(house, [200, 200, 200]);
    expect(await house.status()).toMatchObject({ restarts: { gateway: 0 }, lastCrash: null });
    expect([house.output(), isRunning(gateway)]).toEqual([
      expect.stringContaining('gateway responsive again'),
      true,
    ]);
  });

  it('when it has been asked to stop and takes its time', async () => {
    await using house = await startDeployment({ env: { HANG_TIMEOUT: '1s', DRAIN_TIMEOUT: '7s' } });
    await house.reachesStatus('ready');
    process.kill(gatewayOf(house), 'SIGSTOP');
    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
    expect(house.output()).not.toMatch(/gateway hung|gateway was terminated|gateway unresponsive/);
  });
});
