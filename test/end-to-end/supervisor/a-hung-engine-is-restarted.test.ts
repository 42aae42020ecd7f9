import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { type RunningDeployment, type Scenario, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const env = { HANG_TIMEOUT: '1s', RESTART_DELAY_MIN: '50ms', MAX_REQUESTS_PER_MINUTE: '0' };
/** For engines that do not hang, or only briefly: a busy machine must not count as a hang. */
const longTimeouts = { ...env, HANG_TIMEOUT: '5s' };

const restartsOf = async (deployment: RunningDeployment) =>
  ((await deployment.status()).restarts as { engine: number }).engine;

async function story(deployment: RunningDeployment) {
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
  });
  const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
  return { status: response.status, text: choices?.[0]?.message.content };
}

describe.concurrent('a hung llama-server is aborted and restarted', () => {
  it('if a real one is stopped, and the next one completes its requests', async () => {
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: longTimeouts,
    });
    await deployment.reachesStatus('ready');
    const [engine = 0] = deployment.children();
    killProcess(engine, 'SIGSTOP');
    const responses = await Promise.all(Array.from({ length: 3 }, () => story(deployment)));
    expect(responses).toEqual(responses.map(() => ({ status: 200, text: storyText('survival') })));
    expect(await deployment.status()).toMatchObject({
      restarts: { engine: 1, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'hung', signal: 'SIGKILL' },
    });
    expect(deployment.output()).toContain('llama-server hung: no progress for 5 s (HANG_TIMEOUT)');
  });

  it.each<[string, Scenario]>([
    ['busy and does nothing', 'stuck'],
    ['healthy by its own report, and its queue does not move', 'jammed'],
  ])('if it is %s, and its last lines show where it hangs', async (_, scenario) => {
    await using deployment = await startDeployment({ scenario, env });
    await waitFor('a restart', async () => (await restartsOf(deployment)) > 0);
    expect(await deployment.status()).toMatchObject({
      lastCrash: { who: 'llama-server', class: 'hung', signal: 'SIGABRT' },
    });
  });
});

describe.concurrent('a llama-server that makes progress is not restarted', () => {
  it.each<[string, Scenario]>([
    ['slow', 'creeping'],
    ['slow and old, so that its counters, of six digits, do not show it', 'rounding'],
  ])('if it is %s', async (_, scenario) => {
    await using deployment = await startDeployment({ scenario, env: longTimeouts });
    // It is probed twice a second.
    await waitFor('many probes', () => deployment.output().includes('sending result, n = 13'));
    expect(await deployment.status()).toMatchObject({
      standing: 'ready',
      restarts: { engine: 0 },
      lastCrash: null,
    });
  });
});
