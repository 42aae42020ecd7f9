import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const gatewayOf = (deployment: RunningDeployment) => {
  const isGateway = (pid: number) => /gateway/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return deployment.children().find((pid) => isRunning(pid) && isGateway(pid)) ?? 0;
};
const statusesOf = (deployment: RunningDeployment) =>
  Promise.all(['/readyz', '/ping', '/livez'].map(async (path) => (await deployment.request(path)).status));
const becomes = (deployment: RunningDeployment, statuses: readonly number[]) =>
  waitFor(`the probes to show ${statuses.join()}`, async () =>
    (await statusesOf(deployment)).every((status, index) => status === statuses[index]),
  );

async function story({ gatewayPort }: RunningDeployment) {
  const response = await fetch(`http://127.0.0.1:${gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
  });
  const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
  return { status: response.status, text: choices?.[0]?.message.content };
}

const startReal = (env: Record<string, string>) =>
  startDeployment({ real: { engine: inject('engine'), model: inject('demoModel') }, env });

describe.concurrent('a hung gateway is detected and restarted', () => {
  it('while the model stays loaded', async () => {
    await using deployment = await startReal({ HANG_TIMEOUT: '6s' });
    await deployment.reachesStatus('ready');
    const gateway = gatewayOf(deployment);
    const [engine = 0] = deployment.children();
    killProcess(gateway, 'SIGSTOP');
    await waitFor('the restart', async () => {
      const { standing, restarts } = await deployment.status();
      return standing === 'ready' && (restarts as { gateway: number }).gateway > 0;
    });
    expect(await deployment.status()).toMatchObject({
      restarts: { engine: 0, gateway: 1 },
      crashes: { gateway: { hung: 1 } },
      lastCrash: { who: 'gateway', class: 'hung', signal: 'SIGKILL' },
    });
    expect(deployment.output()).toContain('gateway unresponsive for 5 s');
    expect(deployment.output()).toContain('gateway hung: no response for 6 s (HANG_TIMEOUT)');
    expect([isRunning(gateway), isRunning(engine)]).toEqual([false, true]);
    expect(await story(deployment)).toEqual({ status: 200, text: storyText('survival') });
  });

  it('even if the engine crashes in the meantime, and neither leaves a process behind', async () => {
    await using deployment = await startReal({ HANG_TIMEOUT: '5s', RESTART_DELAY_MIN: '50ms' });
    await deployment.reachesStatus('ready');
    const before = deployment.children();
    killProcess(gatewayOf(deployment), 'SIGSTOP');
    killProcess(before[0], 'SIGKILL');
    await waitFor('two restarts', async () => {
      const { standing, restarts } = await deployment.status();
      const { engine, gateway } = restarts as { engine: number; gateway: number };
      return standing === 'ready' && engine === 1 && gateway === 1;
    });
    expect(await story(deployment)).toEqual({ status: 200, text: storyText('survival') });
    const after = deployment.children();
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    expect([...before, ...after].filter(isRunning)).toEqual([]);
  });
});

describe.concurrent('a gateway is not restarted', () => {
  it('if it responds again in time, and the probes report both', async () => {
    await using deployment = await startDeployment({ env: { HANG_TIMEOUT: '1h' } });
    await deployment.reachesStatus('ready');
    const gateway = gatewayOf(deployment);
    killProcess(gateway, 'SIGSTOP');
    await becomes(deployment, [503, 503, 200]);
    expect(await deployment.status()).toMatchObject({ standing: 'restarting', gatewayUp: false });
    killProcess(gateway, 'SIGCONT');
    await becomes(deployment, [200, 200, 200]);
    expect(await deployment.status()).toMatchObject({ restarts: { gateway: 0 }, lastCrash: null });
    expect([deployment.output(), isRunning(gateway)]).toEqual([
      expect.stringContaining('gateway responsive again'),
      true,
    ]);
  });

  it('if it is stopping and takes long', async () => {
    await using deployment = await startDeployment({ env: { HANG_TIMEOUT: '1s', DRAIN_TIMEOUT: '7s' } });
    await deployment.reachesStatus('ready');
    killProcess(gatewayOf(deployment), 'SIGSTOP');
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    for (const problem of ['gateway hung: ', 'was terminated by', 'gateway unresponsive for'].map(sourceText))
      expect(deployment.output()).not.toContain(problem);
  });
});
