import { describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
import {
  isRunning,
  type RunningDeployment,
  sendSecondSignal,
  startDeployment,
} from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const env = {
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

/** Our gateway in front of a fake engine that loads until it is stopped. */
const startLoading = () =>
  startDeployment({
    scenario: 'slow',
    env: { ...env, GATEWAY_PROGRAM: '', API_KEYS: 'test:sk-0123456789abcdef' },
  });

const send = (deployment: RunningDeployment, body: object) =>
  fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'a long story' }], ...body }),
  });

const survival = { messages: [{ role: 'user', content: 'survival' }] };

const gatewayHealth = async (deployment: RunningDeployment) =>
  (await fetch(`http://127.0.0.1:${deployment.gatewayPort}/health`)).text();

interface Chunk {
  readonly choices?: readonly { readonly delta: { readonly content?: string | null } }[];
  readonly error?: { readonly code: string };
}

/** A stream that is read as it arrives; `end` is its last event: `[DONE]`, or the code of an error. */
function openStream(deployment: RunningDeployment) {
  let raw = '';
  const events = () =>
    raw
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => event.slice('data: '.length));
  const chunks = () => events().flatMap((data) => (data === '[DONE]' ? [] : [JSON.parse(data) as Chunk]));
  const finished = (async () => {
    const { body } = await send(deployment, { stream: true });
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

/** Two streams in the middle of their texts, and the engine, which is paused until it gets a SIGCONT. */
async function twoStreams(deployment: RunningDeployment) {
  await deployment.reachesStatus('ready');
  const [engine = 0] = deployment.children();
  const streams = [openStream(deployment), openStream(deployment)];
  await waitFor('two streams to start', () => streams.every((stream) => stream.hasBegun()), { every: 1 });
  killProcess(engine, 'SIGSTOP');
  return { streams, engine };
}

const complete = { text: storyText('long story'), end: '[DONE]' };
const results = (streams: readonly ReturnType<typeof openStream>[]) =>
  Promise.all(streams.map(({ finished }) => finished));

describe('a stop while streams are open', () => {
  it('lets them finish, and only then stops llama-server', async () => {
    await using deployment = await startReal();
    const { streams, engine } = await twoStreams(deployment);
    const children = deployment.children();
    deployment.process.kill('SIGTERM');
    await deployment.reachesStatus('draining');
    expect((await deployment.request('/readyz')).status).toBe(503);
    // An engine that had already received SIGTERM would exit now, in the middle of its streams.
    killProcess(engine, 'SIGCONT');
    expect(await results(streams)).toEqual([complete, complete]);
    expect(await deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('ends them with an error event at DRAIN_TIMEOUT', async () => {
    await using deployment = await startReal({ DRAIN_TIMEOUT: '100ms' });
    const { streams } = await twoStreams(deployment);
    const children = deployment.children();
    deployment.process.kill('SIGTERM');
    for (const { end } of await results(streams)) expect(end).toBe('draining');
    expect(await deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('ends them at a second signal', async () => {
    await using deployment = await startReal();
    const { streams } = await twoStreams(deployment);
    const children = deployment.children();
    deployment.process.kill('SIGTERM');
    await deployment.reachesStatus('draining');
    await sendSecondSignal();
    deployment.process.kill('SIGTERM');
    for (const { end } of await results(streams)) expect(end).not.toBe('[DONE]');
    expect(await deployment.exitCode()).toBe(0);
    expect(deployment.output().match(/\bdraining signal=|"msg":"draining"/g)).toHaveLength(1);
    expect(deployment.output()).toContain('stopping without waiting for requests');
    expect(children.filter(isRunning)).toEqual([]);
  });
});

describe('a stop while streams are open and llama-server crashes', () => {
  it('restarts it for them, and they continue', async () => {
    await using deployment = await startReal();
    const { streams, engine } = await twoStreams(deployment);
    deployment.process.kill('SIGTERM');
    await deployment.reachesStatus('draining');
    killProcess(engine, 'SIGKILL');
    expect(await results(streams)).toEqual([complete, complete]);
    expect(await deployment.exitCode()).toBe(0);
    expect(deployment.output()).toContain('llama-server was terminated by SIGKILL');
  });
});

describe('a request that waits for an engine that has failed', () => {
  it.each([
    ['because it crashed too often', { RESTART_MAX_CRASHES: '1' }, 'backend_unavailable', 3],
    ['before DRAIN_TIMEOUT', { RESTART_DELAY_MIN: '60s', DRAIN_TIMEOUT: '2s' }, 'draining', 0],
  ])('gets an error: %s', async (_, changes, code, exitCode) => {
    await using deployment = await startReal({ ...changes, PARALLEL: '3' });
    await deployment.reachesStatus('ready');
    const plain = send(deployment, {});
    const { streams, engine } = await twoStreams(deployment);
    killProcess(engine, 'SIGKILL');
    if (code === 'draining') {
      await deployment.reachesStatus('restarting');
      deployment.process.kill('SIGTERM');
    }
    for (const { end } of await results(streams)) expect(end).toBe(code);
    const response = await plain;
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code } }]);
    expect(await deployment.exitCode()).toBe(exitCode);
    expect(deployment.output()).not.toContain(sourceText('clientGone'));
  });
});

describe('a stop while requests wait', () => {
  it('for a loading model rejects them, and ends at once', async () => {
    await using deployment = await startLoading();
    await deployment.reachesStatus('loading');
    await waitFor('the gateway', async () => (await deployment.status()).gatewayUp);
    const responses = [send(deployment, {}), send(deployment, {})];
    await waitFor('both to be queued', async () => (await gatewayHealth(deployment)).includes('"waiting":2'));
    deployment.process.kill('SIGTERM');
    for (const response of await Promise.all(responses)) {
      expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'draining' } }]);
    }
    expect(await deployment.exitCode()).toBe(0);
  });

  it('before anything has started ends at once', async () => {
    await using deployment = await startLoading();
    await waitFor('a child', () => deployment.children().length > 0);
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    expect(deployment.children()).toEqual([]);
  });

  it('for a restarting engine lets running ones finish on the next engine', async () => {
    await using deployment = await startReal({ RESTART_DELAY_MIN: '4s' });
    await deployment.reachesStatus('ready');
    await waitFor('the gateway to report ready', async () =>
      (await gatewayHealth(deployment)).includes('"status":"ready"'),
    );
    const [engine = 0] = deployment.children();
    killProcess(engine, 'SIGSTOP');
    const responses = [send(deployment, survival), send(deployment, survival)];
    await waitFor('both to run', async () => (await gatewayHealth(deployment)).includes('"busy":2'));
    killProcess(engine, 'SIGKILL');
    await deployment.reachesStatus('restarting');
    deployment.process.kill('SIGTERM');
    for (const response of await Promise.all(responses)) {
      const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
      expect([response.status, choices?.[0]?.message.content]).toEqual([200, storyText('survival')]);
    }
    expect(await deployment.exitCode()).toBe(0);
  });
});
