import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import {
  isRunning,
  type RunningDeployment,
  sendSecondSignal,
  startDeployment,
} from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const env = {
  THREADS: '1',
  PARALLEL: '2',
  CTX: '32768',
  RESTART_DELAY_MIN: '100ms',
  MAX_REQUESTS_PER_MINUTE: '0',
  DRAIN_TIMEOUT: '10m',
};
const startReal = (changes: Record<string, string> = {}) =>
  startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { ...env, ...changes },
  });

/** Our own gateway before a stand-in that loads until it is told to stop. */
const startLoading = () =>
  startDeployment({
    scenario: 'slow',
    env: { ...env, GATEWAY_PROGRAM: '', API_KEYS: 'test:sk-0123456789abcdef' },
  });

const ask = (house: RunningDeployment, body: object) =>
  fetch(`http://127.0.0.1:${house.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'a long story' }], ...body }),
  });

const survival = { messages: [{ role: 'user', content: 'survival' }] };

const gatewayHealth = async (house: RunningDeployment) =>
  (await fetch(`http://127.0.0.1:${house.gatewayPort}/health`)).text();

interface Chunk {
  readonly choices?: readonly { readonly delta: { readonly content?: string | null } }[];
  readonly error?: { readonly code: string };
}

/** A stream that is read as it comes; `end` is how it ended: `[DONE]`, or the code of an error. */
function openStream(house: RunningDeployment) {
  let raw = '';
  const events = () =>
    raw
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => event.slice('data: '.length));
  const chunks = () => events().flatMap((data) => (data === '[DONE]' ? [] : [JSON.parse(data) as Chunk]));
  const finished = (async () => {
    const { body } = await ask(house, { stream: true });
    for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) raw += text;
    const error = chunks().find((chunk) => chunk.error)?.error?.code;
    return {
      text: chunks()
        .map(({ choices }) => choices?.[0]?.delta.content ?? '')
        .join(''),
      end: error ?? events().at(-1),
    };
  })();
  return { finished, hasBegun: () => raw.includes('Horse 3') };
}

/** Two streams in mid-story, and the engine, which stands still there until it gets a SIGCONT. */
async function twoStreams(house: RunningDeployment) {
  await house.reachesStatus('ready');
  const [engine = 0] = house.children();
  const streams = [openStream(house), openStream(house)];
  await waitFor('two stories begun', () => streams.every((stream) => stream.hasBegun()), { every: 1 });
  process.kill(engine, 'SIGSTOP');
  return { streams, engine };
}

const whole = { text: storyText('long story'), end: '[DONE]' };
const endings = (streams: readonly ReturnType<typeof openStream>[]) =>
  Promise.all(streams.map(({ finished }) => finished));

describe('a stop while streams are open', () => {
  it('lets them come to their end, and only then asks llama-server to stop', async () => {
    await using house = await startReal();
    const { streams, engine } = await twoStreams(house);
    const children = house.children();
    house.process.kill('SIGTERM');
    await house.reachesStatus('draining');
    expect((await house.request('/readyz')).status).toBe(503);
    // One that had been asked to end would do so now, in the middle of its streams.
    process.kill(engine, 'SIGCONT');
    expect(await endings(streams)).toEqual([whole, whole]);
    expect(await house.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('cuts them with a word at DRAIN_TIMEOUT', async () => {
    await using house = await startReal({ DRAIN_TIMEOUT: '100ms' });
    const { streams } = await twoStreams(house);
    const children = house.children();
    house.process.kill('SIGTERM');
    for (const { end } of await endings(streams)) expect(end).toBe('draining');
    expect(await house.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('cuts them at a second signal', async () => {
    await using house = await startReal();
    const { streams } = await twoStreams(house);
    const children = house.children();
    house.process.kill('SIGTERM');
    await house.reachesStatus('draining');
    await sendSecondSignal();
    house.process.kill('SIGTERM');
    for (const { end } of await endings(streams)) expect(end).not.toBe('[DONE]');
    expect(await house.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });
});

describe('a stop while streams are open and llama-server dies', () => {
  it('brings it back for them, and they go on where they were', async () => {
    await using house = await startReal();
    const { streams, engine } = await twoStreams(house);
    house.process.kill('SIGTERM');
    await house.reachesStatus('draining');
    process.kill(engine, 'SIGKILL');
    expect(await endings(streams)).toEqual([whole, whole]);
    expect(await house.exitCode()).toBe(0);
    expect(house.output()).toContain('llama-server was terminated by SIGKILL');
  });
});

describe('who waits for an engine that does not come back', () => {
  it.each([
    ['because it died too often', { RESTART_MAX_CRASHES: '1' }, 'backend_unavailable', 3],
    ['before DRAIN_TIMEOUT', { RESTART_DELAY_MIN: '60s', DRAIN_TIMEOUT: '2s' }, 'draining', 0],
  ])('%s is told so', async (_, changes, code, exitCode) => {
    await using house = await startReal({ ...changes, PARALLEL: '3' });
    await house.reachesStatus('ready');
    const plain = ask(house, {});
    const { streams, engine } = await twoStreams(house);
    process.kill(engine, 'SIGKILL');
    if (code === 'draining') {
      await house.reachesStatus('restarting');
      house.process.kill('SIGTERM');
    }
    for (const { end } of await endings(streams)) expect(end).toBe(code);
    const answer = await plain;
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code } }]);
    expect(await house.exitCode()).toBe(exitCode);
    expect(house.output()).not.toContain('clientGone');
  });
});

describe('a stop while requests wait', () => {
  it('for a model that loads refuses them, and ends at once', async () => {
    await using house = await startLoading();
    await house.reachesStatus('loading');
    await waitFor('the gateway', async () => (await house.status()).gatewayUp);
    const answers = [ask(house, {}), ask(house, {})];
    await waitFor('both in line', async () => (await gatewayHealth(house)).includes('"waiting":2'));
    house.process.kill('SIGTERM');
    for (const answer of await Promise.all(answers)) {
      expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'draining' } }]);
    }
    expect(await house.exitCode()).toBe(0);
  });

  it('before anything is up ends at once', async () => {
    await using house = await startLoading();
    await waitFor('a child', () => house.children().length > 0);
    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
    expect(house.children()).toEqual([]);
  });

  it('for an engine that is being started again lets those under way finish with the next one', async () => {
    await using house = await startReal({ RESTART_DELAY_MIN: '4s' });
    await house.reachesStatus('ready');
    await waitFor('the gateway to know', async () =>
      (await gatewayHealth(house)).includes('"status":"ready"'),
    );
    const [engine = 0] = house.children();
    process.kill(engine, 'SIGSTOP');
    const answers = [ask(house, survival), ask(house, survival)];
    await waitFor('both under way', async () => (await gatewayHealth(house)).includes('"busy":2'));
    process.kill(engine, 'SIGKILL');
    await house.reachesStatus('restarting');
    house.process.kill('SIGTERM');
    for (const answer of await Promise.all(answers)) {
      const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
      expect([answer.status, choices?.[0]?.message.content]).toEqual([200, storyText('survival')]);
    }
    expect(await house.exitCode()).toBe(0);
  });
});
