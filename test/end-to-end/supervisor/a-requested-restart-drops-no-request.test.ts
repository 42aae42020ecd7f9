import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, inject, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const userSecret = 'sk-user-0123456789abcdefghijklmnopqrstuvwxyz012';
const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';

/** A ready house that knows a second model, `other.gguf`, and one that no engine can load, `ready.gguf`. */
async function startWithModels(env: Record<string, string> = {}): Promise<RunningDeployment> {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  const keys = keyFileText({ user: { secret: userSecret }, ops: { secret: opsSecret, scopes: ['admin'] } });
  writeFileSync(join(folder, 'data', 'keys.json'), keys, { mode: 0o600 });
  const house = await startDeployment({
    folder,
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MODELS_DIR: join(folder, 'models'), MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '2', ...env },
  });
  copyFileSync(inject('demoModel'), join(house.modelFolder, 'other.gguf'));
  await house.reachesStatus('ready');
  return house;
}

const originOf = ({ gatewayPort }: RunningDeployment) => `http://127.0.0.1:${gatewayPort}`;

async function restart(house: RunningDeployment, changes?: object) {
  const answer = await fetch(`${originOf(house)}/admin/restart`, {
    method: 'POST',
    headers: { 'x-api-key': opsSecret },
    ...(changes && { body: JSON.stringify(changes) }),
  });
  const body = (await answer.json()) as { changes?: string[]; error?: { code: string; message: string } };
  return { status: answer.status, ...body };
}

const restartIs = (house: RunningDeployment, state: string) =>
  waitFor(`the restart to be ${state}`, async () => {
    const { restart: report, standing } = await house.status();
    return standing === 'ready' && (report as { state: string } | null)?.state === state;
  });

async function listOf(house: RunningDeployment): Promise<readonly { id: string; context_length: number }[]> {
  const { body } = await requestGateway(originOf(house), 'GET /v1/models', userSecret);
  return body.data as { id: string; context_length: number }[];
}

const modelsOf = async (house: RunningDeployment) => (await listOf(house)).map(({ id }) => id);

/**
 * Clients that ask one thing after the other, by streams and in one piece, until told to stop; none tries again. The
 * first has the beginning of the long story told.
 */
async function startLoad(house: RunningDeployment, clients: number) {
  const openai = new OpenAI({ baseURL: `${originOf(house)}/v1`, apiKey: userSecret, maxRetries: 0 });
  const longBeginning = await streamed(openai, 'long story');
  expect(storyText('long story').startsWith(longBeginning)).toBe(true);
  expect(longBeginning.length).toBeGreaterThan(500);
  const wrong: string[] = [];
  let [isOver, served] = [false, 0];
  const topics: readonly Topic[] = ['survival', 'emoji', 'keys'];
  const client = async (_: unknown, index: number) => {
    for (let n = index; !isOver; n++) {
      const topic = index === 0 ? 'long story' : (topics[n % topics.length] ?? 'keys');
      const text = await (n % 2 === 1 ? whole(openai, topic) : streamed(openai, topic)).catch(String);
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

const about = (topic: Topic, max_tokens = 250) => ({
  model: 'any',
  max_tokens,
  messages: [{ role: 'user' as const, content: topic }],
});

async function whole(openai: OpenAI, topic: Topic): Promise<string> {
  const { choices } = await openai.chat.completions.create(about(topic));
  return choices[0]?.message.content ?? '';
}

async function streamed(openai: OpenAI, topic: Topic, most?: number): Promise<string> {
  const stream = await openai.chat.completions.create({ ...about(topic, most), stream: true });
  let text = '';
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  return text;
}

describe('a restart on purpose', () => {
  it('brings another model under load, and nobody notices but by the name', async () => {
    await using house = await startWithModels();
    const [engine, gateway] = house.children();
    expect(await modelsOf(house)).toEqual(['demo-model-for-tests']);
    const load = await startLoad(house, 4);
    await waitFor('some answers', () => load.served() > 4);
    const accepted = await restart(house, { MODEL_NAME: 'other.gguf', CTX: 8192 });
    expect(accepted).toMatchObject({ status: 202, changes: ['MODEL_NAME', 'CTX'] });
    expect(await restart(house)).toMatchObject({ status: 409, error: { code: 'restart_under_way' } });
    await restartIs(house, 'done');
    const before = load.served();
    await waitFor('some more answers', () => load.served() > before + 4);
    expect(await restart(house)).toMatchObject({ status: 202, changes: [] });
    await restartIs(house, 'done');
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(await modelsOf(house)).toEqual(['other']);
    expect(house.children()).toContain(gateway);
    expect(house.children()).not.toContain(engine);
    expect(await listOf(house)).toMatchObject([{ context_length: 8192 }]);
    expect(await house.status()).toMatchObject({
      restarts: { engine: 0, gateway: 0 },
      lastCrash: null,
      restart: { state: 'done', changes: [], failure: null },
    });
  });

  it('falls back to what served where the new model does not load, and nobody notices', async () => {
    await using house = await startWithModels();
    const load = await startLoad(house, 4);
    await waitFor('some answers', () => load.served() > 4);
    expect(await restart(house, { MODEL_NAME: 'ready.gguf' })).toMatchObject({ status: 202 });
    await restartIs(house, 'fell-back');
    const before = load.served();
    await waitFor('some more answers', () => load.served() > before + 4);
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(await modelsOf(house)).toEqual(['demo-model-for-tests']);
    expect(await house.status()).toMatchObject({
      standing: 'ready',
      restart: { state: 'fell-back', changes: ['MODEL_NAME'], failure: 'bad-model' },
    });
    expect(house.output()).toMatch(
      /llama-server did not load with the changed settings; restoring the previous ones/,
    );
    expect(house.process.exitCode).toBeNull();
  });

  it('does not wait for ever: a stream that outlasts DRAIN_TIMEOUT goes on at the new engine', async () => {
    await using house = await startWithModels({ DRAIN_TIMEOUT: '50ms' });
    const openai = new OpenAI({ baseURL: `${originOf(house)}/v1`, apiKey: userSecret, maxRetries: 0 });
    const expected = await streamed(openai, 'long story', 800);
    const [engine = 0] = house.children();
    const stream = await openai.chat.completions.create({ ...about('long story', 800), stream: true });
    let [text, restarted] = ['', undefined as ReturnType<typeof restart> | undefined];
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? '';
      if (text === '' || restarted) continue;
      // It would have told all of it by the time that a busy machine comes to the restart.
      process.kill(engine, 'SIGSTOP');
      restarted = restart(house, { MODEL_NAME: 'other.gguf' });
    }
    expect((await restarted)?.changes).toEqual(['MODEL_NAME']);
    await restartIs(house, 'done');
    expect(text).toBe(expected);
    await waitFor('the log line', () => / continued=1 /.test(house.output()));
  });

  it('is not held up by a gateway that dies meanwhile: the next one is told of it', async () => {
    await using house = await startWithModels({ DRAIN_TIMEOUT: '10m' });
    const openai = new OpenAI({ baseURL: `${originOf(house)}/v1`, apiKey: userSecret, maxRetries: 0 });
    const [engine = 0, gateway = 0] = house.children();
    const stream = await openai.chat.completions.create({
      ...about('long story'),
      max_tokens: null,
      stream: true,
    });
    // Its slot stays taken.
    process.kill(engine, 'SIGSTOP');
    expect((await restart(house, { MODEL_NAME: 'other.gguf' })).changes).toEqual(['MODEL_NAME']);
    expect((await house.status()).restart).toMatchObject({ state: 'draining' });
    process.kill(gateway, 'SIGKILL');
    await restartIs(house, 'done');
    stream.controller.abort();
    expect(await modelsOf(house)).toEqual(['other']);
    expect(await whole(openai, 'keys')).toBe(storyText('keys'));
    expect(await house.status()).toMatchObject({ restarts: { engine: 0, gateway: 1 } });
  });

  it('does not begin where anything is wrong with it, every mistake named', async () => {
    await using house = await startWithModels();
    const [engine] = house.children();
    const { status, error } = await restart(house, {
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
    for (const body of [[], { CTX: ['8192'] }]) expect((await restart(house, body)).status).toBe(400);
    expect(await house.status()).toMatchObject({ standing: 'ready', restart: null });
    expect(house.children()).toContain(engine);
  });
});
