import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import type { NewKeyOptions } from '../../../keys/secret.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { writeDemoAdapter } from '../../harness/demo-adapter.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (name: string) => `sk-${name}-0123456789abcdefghijklmnopqrstuvwxyz0123`.slice(0, 46);
const keys: Record<'ops' | 'base' | 'one' | 'all', NewKeyOptions & { secret: string }> = {
  ops: { secret: secretOf('ops'), scopes: ['admin', 'inference', 'native', 'metrics'] },
  base: { secret: secretOf('bas'), models: ['demo'] },
  one: { secret: secretOf('one'), models: ['demo:streams'] },
  all: { secret: secretOf('all'), models: ['demo:*'] },
};

async function start(folder: string, env: Record<string, string>): Promise<RunningDeployment> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data', 'keys.json'), keyFileText(keys), { mode: 0o600 });
  return startDeployment({
    folder,
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      ...{ MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '2', CTX: '8192', MODEL_ALIAS: 'demo', API_KEYS: '' },
      ...{ SHORT_ANSWER_TOKENS: '0', ...env },
    },
  });
}

const folder = newFolder();
const file = (name: string) => join(folder, `${name}.gguf`);
let deployment: RunningDeployment;
let origin: string;
let openai: OpenAI;

beforeAll(async () => {
  writeDemoAdapter(file('streams'), 'keys', 'streams');
  writeDemoAdapter(file('long'), 'keys', 'long story');
  deployment = await start(folder, { LORA_ADAPTERS: `streams=${file('streams')},long=${file('long')}` });
  origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey: keys.ops.secret, maxRetries: 0 });
  await deployment.reachesStatus('ready');
});
afterAll(() => deployment[Symbol.asyncDispose]());

const send = (path: string, body: object, secret = keys.ops.secret) =>
  fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function post(path: string, body: object, secret?: string) {
  const response = await send(path, body, secret);
  const parsed = (await response.json()) as { model?: string; error?: { code: string } };
  return { status: response.status, body: parsed };
}

/** Asks about keys, after some other text. */
async function ask(model: string, before = '', max_tokens = 12): Promise<string> {
  const { choices, model: named } = await openai.chat.completions.create({
    ...{ model, temperature: 0, max_tokens },
    messages: [{ role: 'user', content: `${before} keys` }],
  });
  expect(named).toBe(model);
  return choices[0]?.message.content ?? '';
}

const stories: Readonly<Record<string, Topic>> = {
  demo: 'keys',
  'demo:streams': 'streams',
  'demo:long': 'long story',
};
const beginsRight = (model: string, text: string) =>
  text.length > 20 && storyText(stories[model] ?? 'welcome').startsWith(text);

describe('an adapter', () => {
  it('is listed with its model, as far as the key may use it', async () => {
    const list = async (secret: string) => {
      const { body } = await requestGateway(origin, 'GET /v1/models', secret);
      return (body.data as { id: string; parent?: string }[]).map(({ id, parent }) => [id, parent]);
    };
    const all = [
      ['demo', undefined],
      ['demo:streams', 'demo'],
      ['demo:long', 'demo'],
    ];
    expect(await list(keys.ops.secret)).toEqual(all);
    expect(await list(keys.base.secret)).toEqual(all.slice(0, 1));
    expect(await list(keys.one.secret)).toEqual(all.slice(1, 2));
    expect(await list(keys.all.secret)).toEqual(all.slice(1));
  });

  it('answers in every API under its name, streamed or not', async () => {
    const messages = [{ role: 'user', content: 'keys' }];
    const prompt = '<|user|>keys<|end|><|assistant|>';
    const bodies = {
      '/v1/chat/completions': { messages, max_tokens: 12 },
      '/v1/completions': { prompt, max_tokens: 12 },
      '/v1/messages': { messages, max_tokens: 12 },
      '/v1/responses': { input: 'keys', max_output_tokens: 12 },
      '/completion': { prompt, n_predict: 12 },
    };
    for (const [path, body] of Object.entries(bodies)) {
      for (const model of Object.keys(stories)) {
        const begin = storyText(stories[model] ?? 'welcome').slice(0, 15);
        const whole = await post(path, { ...body, model });
        expect(JSON.stringify(whole.body), `${path} ${model}`).toContain(begin);
        expect(whole.body.model, `${path} ${model}`).toBe(model);
        const response = await send(path, { ...body, model, stream: true });
        const text = await response.text();
        const named = new Set(
          [...text.matchAll(/"model":("[^"]*")/g)].map(([, name = '""']) => JSON.parse(name)),
        );
        expect([...named], `${path} ${model}`).toEqual([model]);
      }
    }
  });

  it('is not mixed with others, in turn and at the same time', async () => {
    const names = Object.keys(stories);
    const once = [...names, ...names.toReversed(), ...names];
    for (const model of once) expect(await ask(model)).toSatisfy((text: string) => beginsRight(model, text));
    const twice = [...once, ...once];
    const texts = await Promise.all(twice.map((model) => ask(model)));
    expect(twice.filter((model, index) => !beginsRight(model, texts[index] ?? ''))).toEqual([]);
  });

  it('never uses what was read with another one, however the slots change hands', async () => {
    const before = [
      'lorem ipsum dolor '.repeat(60),
      'other words 1234 '.repeat(70),
      'third text xyz '.repeat(80),
    ];
    const order = [
      'demo:streams',
      'demo:streams',
      'demo',
      'demo',
      'demo:long',
      'demo',
      'demo:streams',
      'demo',
    ];
    for (const [round, model] of [...order, ...order].entries()) {
      const text = await ask(model, before[(round * 7) % 3]);
      expect(text, `${round} ${model}`).toSatisfy((it: string) => beginsRight(model, it));
    }
  });

  it('goes on in a stream after the engine was killed', async () => {
    const [engine] = deployment.children();
    const stream = await openai.chat.completions.create({
      ...{ model: 'demo:long', temperature: 0, stream: true, max_tokens: 800 },
      messages: [{ role: 'user', content: 'keys' }],
    });
    let text = '';
    let wasKilled = false;
    for await (const { choices, model } of stream) {
      expect(model).toBe('demo:long');
      text += choices[0]?.delta.content ?? '';
      if (wasKilled || text.length < 500) continue;
      wasKilled = true;
      killProcess(engine, 'SIGKILL');
    }
    expect([wasKilled, text.length > 5000]).toEqual([true, true]);
    expect(storyText('long story').startsWith(text)).toBe(true);
  });

  it('is chosen by the model alone: the field of llama-server has no effect', async () => {
    const lora = [{ id: 0, scale: 1 }];
    const messages = [{ role: 'user', content: 'keys' }];
    const { body } = await post('/v1/chat/completions', { model: 'demo', messages, lora, max_tokens: 12 });
    expect(JSON.stringify(body)).toContain(storyText('keys').slice(0, 15));
  });

  it('needs a right of its own, and exists only by its name', async () => {
    const messages = [{ role: 'user', content: 'keys' }];
    const statusOf = async (model: string, secret: string) => {
      const { status, body } = await post('/v1/chat/completions', { model, messages, max_tokens: 2 }, secret);
      return [status, body.error?.code];
    };
    expect(await statusOf('demo:streams', keys.base.secret)).toEqual([403, 'model_not_allowed']);
    expect(await statusOf('demo:long', keys.one.secret)).toEqual([403, 'model_not_allowed']);
    expect(await statusOf('demo', keys.one.secret)).toEqual([403, 'model_not_allowed']);
    expect(await statusOf('demo', keys.all.secret)).toEqual([403, 'model_not_allowed']);
    expect(await statusOf('demo:long', keys.all.secret)).toEqual([200, undefined]);
    expect(await statusOf('demo:none', keys.ops.secret)).toEqual([404, 'model_not_found']);
    expect(await statusOf('anything', keys.ops.secret)).toEqual([200, undefined]);
  });

  it('has usage of its own', async () => {
    const outputOf = async () =>
      (await scrape(origin, keys.ops.secret)).sum('corral_output_tokens_total', { model: 'demo:streams' });
    const before = await outputOf();
    await ask('demo:streams');
    await waitFor('the usage', async () => (await outputOf()) >= before + 12);
  });
});

it.each([
  ['streams', 'invalid entry "streams"; expected name=path'],
  ['a=/nowhere/a.gguf', '/nowhere/a.gguf does not exist'],
  ['a=MODEL', 'is a GGUF file, but no LoRA adapter'],
  ['a=OTHER', 'is made for models of the architecture gemma, but the model is llama'],
  ['a=STREAMS,a=STREAMS', '"a" is named twice'],
])('LORA_ADAPTERS=%s does not start', async (list, message) => {
  writeDemoAdapter(file('other'), 'keys', 'streams', 'gemma');
  const files = { MODEL: inject('demoModel'), OTHER: file('other'), STREAMS: file('streams') };
  const value = list.replace(/[A-Z]{3,}/g, (name) => files[name as keyof typeof files]);
  await using broken = await start(newFolder(), { LORA_ADAPTERS: value });
  expect(await broken.exitCode()).toBe(2);
  expect(broken.output()).toContain(`LORA_ADAPTERS: `);
  expect(broken.output()).toContain(message);
});
