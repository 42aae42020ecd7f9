import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, inject, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const userSecret = 'sk-user-0123456789abcdefghijklmnopqrstuvwxyz012';
const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';

/** A ready deployment with a second model, `other.gguf`, and one that no engine can load, `ready.gguf`. */
async function startWithModels(env: Record<string, string> = {}): Promise<RunningDeployment> {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  const keys = keyFileText({ user: { secret: userSecret }, ops: { secret: opsSecret, scopes: ['admin'] } });
  writeFileSync(join(folder, 'data', 'keys.json'), keys, { mode: 0o600 });
  const deployment = await startDeployment({
    folder,
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MODELS_DIR: join(folder, 'models'), MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '2', ...env },
  });
  copyFileSync(inject('demoModel'), join(deployment.modelFolder, 'other.gguf'));
  await deployment.reachesStatus('ready');
  return deployment;
}

const originOf = ({ gatewayPort }: RunningDeployment) => `http://127.0.0.1:${gatewayPort}`;

async function restart(deployment: RunningDeployment, changes?: object) {
  const response = await fetch(`${originOf(deployment)}/admin/restart`, {
    method: 'POST',
    headers: { 'x-api-key': opsSecret },
    ...(changes && { body: JSON.stringify(changes) }),
  });
  const body = (await response.json()) as { changes?: string[]; error?: { code: string; message: string } };
  return { status: response.status, ...body };
}

const restartIs = (deployment: RunningDeployment, state: string) =>
  waitFor(`the restart to be ${state}`, async () => {
    const { restart: report, standing } = await deployment.status();
    return standing === 'ready' && (report as { state: string } | null)?.state === state;
  });

async function listOf(
  deployment: RunningDeployment,
): Promise<readonly { id: string; context_length: number }[]> {
  const { body } = await requestGateway(originOf(deployment), 'GET /v1/models', userSecret);
  return body.data as { id: string; context_length: number }[];
}

const modelsOf = async (deployment: RunningDeployment) => (await listOf(deployment)).map(({ id }) => id);

async function hasRunning(deployment: RunningDeployment): Promise<boolean> {
  const { body } = await requestGateway(originOf(deployment), 'GET /admin/requests', opsSecret);
  return (body.requests as { state: string }[]).some(({ state }) => state === 'running');
}

/**
 * Clients that send one request after the other, streamed and not streamed, without retries, until `stop`. The first
 * requests the beginning of the long story.
 */
async function startLoad(deployment: RunningDeployment, clients: number) {
  const openai = new OpenAI({ baseURL: `${originOf(deployment)}/v1`, apiKey: userSecret, maxRetries: 0 });
  const longBeginning = await streamed(openai, 'long story');
  expect(storyText('long story').startsWith(longBeginning)).toBe(true);
  expect(longBeginning.length).toBeGreaterThan(500);
  const wrong: string[] = [];
  let [isOver, served] = [false, 0];
  const topics: readonly Topic[] = ['survival', 'emoji', 'keys'];
  const client = async (_: unknown, index: number) => {
    for (let n = index; !isOver; n++) {
      const topic = index === 0 ? 'long story' : (topics[n % topics.length] ?? 'keys');
      const text = await (n % 2 === 1 ? completeText(openai, topic) : streamed(openai, topic)).catch(String);
      if (text !== (index === 0 ? longBeginning : storyText(topic)))
        wrong.push(`${topic}: ${text.slice(0, 300)}`);
      served += 1;
    }
  };
  const ended = Promise.all(Array.from({ length: clients }, client));
  return {
    wrong,
    served: () => served,
    async stop() {
      isOver = true;
      await ended;
    },
  };
}

const about = (topic: Topic) => ({
  model: 'any',
  max_tokens: 250,
  messages: [{ role: 'user' as const, content: topic }],
});

async function completeText(openai: OpenAI, topic: Topic): Promise<string> {
  const { choices } = await openai.chat.completions.create(about(topic));
  return choices[0]?.message.content ?? '';
}

async function streamed(openai: OpenAI, topic: Topic): Promise<string> {
  const stream = await openai.chat.completions.create({ ...about(topic), stream: true });
  let text = '';
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  return text;
}

describe.concurrent('a requested restart', () => {
  it('changes the model under load without any error', async () => {
    await using deployment = await startWithModels();
    const [engine = 0, gateway] = deployment.children();
    expect(await modelsOf(deployment)).toEqual(['demo-model-for-tests']);
    const load = await startLoad(deployment, 4);
    await waitFor('some responses', () => load.served() > 4);
    // The restart is under way for as long as its requests are not served.
    killProcess(engine, 'SIGSTOP');
    await waitFor('requests at the engine', () => hasRunning(deployment));
    const accepted = await restart(deployment, { MODEL_NAME: 'other.gguf', CTX: 8192 });
    expect(accepted).toMatchObject({ status: 202, changes: ['MODEL_NAME', 'CTX'] });
    expect(await restart(deployment)).toMatchObject({ status: 409, error: { code: 'restart_under_way' } });
    killProcess(engine, 'SIGCONT');
    await restartIs(deployment, 'done');
    const before = load.served();
    await waitFor('some more responses', () => load.served() > before + 4);
    expect(await restart(deployment)).toMatchObject({ status: 202, changes: [] });
    await restartIs(deployment, 'done');
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(await modelsOf(deployment)).toEqual(['other']);
    expect(deployment.children()).toContain(gateway);
    expect(deployment.children()).not.toContain(engine);
    expect(await listOf(deployment)).toMatchObject([{ context_length: 8192 }]);
    expect(await deployment.status()).toMatchObject({
      restarts: { engine: 0, gateway: 0 },
      lastCrash: null,
      restart: { state: 'done', changes: [], failure: null },
    });
  });

  it('falls back to the previous model if the new one does not load, without any error', async () => {
    await using deployment = await startWithModels();
    const load = await startLoad(deployment, 4);
    await waitFor('some responses', () => load.served() > 4);
    expect(await restart(deployment, { MODEL_NAME: 'ready.gguf' })).toMatchObject({ status: 202 });
    await restartIs(deployment, 'fell-back');
    const before = load.served();
    await waitFor('some more responses', () => load.served() > before + 4);
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(await modelsOf(deployment)).toEqual(['demo-model-for-tests']);
    expect(await deployment.status()).toMatchObject({
      standing: 'ready',
      restart: { state: 'fell-back', changes: ['MODEL_NAME'], failure: 'bad-model' },
    });
    expect(deployment.output()).toMatch(
      /llama-server did not load with the changed settings; restoring the previous ones/,
    );
    expect(deployment.process.exitCode).toBeNull();
  });

  it('does not wait forever: a stream that exceeds DRAIN_TIMEOUT continues on the new engine', async () => {
    await using deployment = await startWithModels({ DRAIN_TIMEOUT: '50ms' });
    const openai = new OpenAI({ baseURL: `${originOf(deployment)}/v1`, apiKey: userSecret, maxRetries: 0 });
    const [engine = 0] = deployment.children();
    const stream = await openai.chat.completions.create({
      ...about('long story'),
      max_tokens: null,
      stream: true,
    });
    let [text, restarted] = ['', undefined as ReturnType<typeof restart> | undefined];
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? '';
      if (text === '' || restarted) continue;
      // On a busy machine the stream would otherwise be complete before the restart.
      killProcess(engine, 'SIGSTOP');
      restarted = restart(deployment, { MODEL_NAME: 'other.gguf' });
    }
    expect((await restarted)?.changes).toEqual(['MODEL_NAME']);
    await restartIs(deployment, 'done');
    expect(text).toBe(storyText('long story'));
    await waitFor('the log line', () => / continued=1 /.test(deployment.output()));
  });

  it('is not blocked by a crash of the gateway: the next gateway learns of it', async () => {
    await using deployment = await startWithModels({ DRAIN_TIMEOUT: '10m' });
    const openai = new OpenAI({ baseURL: `${originOf(deployment)}/v1`, apiKey: userSecret, maxRetries: 0 });
    const [engine = 0, gateway = 0] = deployment.children();
    const stream = await openai.chat.completions.create({
      ...about('long story'),
      max_tokens: null,
      stream: true,
    });
    // Its slot stays busy.
    killProcess(engine, 'SIGSTOP');
    expect((await restart(deployment, { MODEL_NAME: 'other.gguf' })).changes).toEqual(['MODEL_NAME']);
    expect((await deployment.status()).restart).toMatchObject({ state: 'draining' });
    killProcess(gateway, 'SIGKILL');
    await restartIs(deployment, 'done');
    stream.controller.abort();
    expect(await modelsOf(deployment)).toEqual(['other']);
    expect(await completeText(openai, 'keys')).toBe(storyText('keys'));
    expect(await deployment.status()).toMatchObject({ restarts: { engine: 0, gateway: 1 } });
  });

  it('is rejected with every problem if its changes are invalid', async () => {
    await using deployment = await startWithModels();
    const [engine] = deployment.children();
    const { status, error } = await restart(deployment, {
      MODEL_NAME: 'nowhere.gguf',
      PARALLEL: 'many',
      EXTRA_ARGS: '--host 0.0.0.0 --temp 0',
      LLAMA_SERVER_BIN: '/bin/sh',
    });
    expect([status, error?.code]).toEqual([400, 'invalid_value']);
    expect(error?.message).toMatch(/4 problems/);
    for (const mistake of [
      /LLAMA_SERVER_BIN: a restart cannot change this variable/,
      /PARALLEL: invalid value "many"; expected "auto" or an integer from 1 to 256/,
      /MODEL_NAME: nowhere\.gguf does not exist in .*found in .*other\.gguf/,
      /EXTRA_ARGS: --host is not allowed: /,
    ])
      expect(error?.message).toMatch(mistake);
    for (const body of [[], { CTX: ['8192'] }]) expect((await restart(deployment, body)).status).toBe(400);
    expect(await deployment.status()).toMatchObject({ standing: 'ready', restart: null });
    expect(deployment.children()).toContain(engine);
  });
});
