import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { type RunningDeployment, type Scenario, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const env = { HANG_TIMEOUT: '1s', RESTART_DELAY_MIN: '50ms', MAX_REQUESTS_PER_MINUTE: '0' };
/** For engines that do not hang, or not for long: a busy machine is no hang. */
const patient = { ...env, HANG_TIMEOUT: '5s' };

const restartsOf = async (house: RunningDeployment) =>
  ((await house.status()).restarts as { engine: number }).engine;

async function story(house: RunningDeployment) {
  const answer = await fetch(`http://127.0.0.1:${house.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
  });
  const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
  return { status: answer.status, text: choices?.[0]?.message.content };
}

describe('a llama-server that hangs is ended and started again', () => {
  it('when all of a real one stands still, and the requests before it are answered by the next', async () => {
    await using house = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: patient,
    });
    await house.reachesStatus('ready');
    const [engine = 0] = house.children();
    process.kill(engine, 'SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 3 }, () => story(house)));
    expect(answers).toEqual(answers.map(() => ({ status: 200, text: storyText('survival') })));
    expect(await house.status()).toMatchObject({
      restarts: { engine: 1, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'hung', signal: 'SIGKILL' },
    });
    expect(house.output()).toContain('llama-server hung: no progress for 5 s (HANG_TIMEOUT)');
  });

  it.each<[string, Scenario]>([
    ['busy and does nothing', 'stuck'],
    ['well by its own word, and its queue stands still', 'jammed'],
  ])('when it is %s, with a word of where', async (_, scenario) => {
    await using house = await startDeployment({ scenario, env });
    await waitFor('a restart', async () => (await restartsOf(house)) > 0);
    expect(await house.status()).toMatchObject({
      lastCrash: { who: 'llama-server', class: 'hung', signal: 'SIGABRT' },
    });
  });
});

describe.concurrent('a llama-server that gets on is left alone', () => {
  it.each<[string, Scenario]>([
    ['slow', 'creeping'],
    ['slow and old, so that its counters, of six digits, do not show it', 'rounding'],
  ])('when it is %s', async (_, scenario) => {
    await using house = await startDeployment({ scenario, env: patient });
    // Two looks a second.
    await waitFor('many looks', () => house.output().includes('sending result, n = 13'));
    expect(await house.status()).toMatchObject({
      standing: 'ready',
      restarts: { engine: 0 },
      lastCrash: null,
    });
  });
});
