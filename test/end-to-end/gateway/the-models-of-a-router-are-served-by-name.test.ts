import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { chatTextIn, requestEvents } from '../../harness/request-events.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { withLine } from '../../harness/with-line.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const secrets = { all: testerSecret, beta: 'sk-beta-0123456789abcdefghijklmnopqrstuvwxyz' };

let folder: TemporaryFolder;
let router: LlamaServer;
let wire: CuttingBackend;
let corral: TestGateway;
let strict: TestGateway;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ['alpha', 'beta']) copyFileSync(inject('demoModel'), folder.file(`${name}.gguf`));
  router = await startLlamaServer({ modelsDir: folder.path, slots: 3 });
  wire = await startCuttingBackend(router);
  const keys = keyFileText({
    all: { secret: secrets.all, scopes: ['inference', 'native'] },
    beta: { secret: secrets.beta, models: ['beta'], scopes: ['inference', 'native'] },
  });
  const open = (env: Record<string, string>) => startTestGateway({ backend: wire.backend, keys, env });
  corral = await open({});
  strict = await open({ STRICT_MODEL: 'true', MODEL_ALIAS: 'alpha', MAX_CONCURRENT_REQUESTS: '2' });
  await waitFor('the models of the router', async () => (await listed(secrets.all)).length > 0);
});
afterAll(async () => {
  await corral.stop();
  await strict.stop();
  await wire.stop();
  await router.stop();
  await folder[Symbol.asyncDispose]();
});

async function listed(secret: string, gateway = corral): Promise<string[]> {
  const response = await fetch(`${gateway.origin}/v1/models`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  const { data = [] } = (await response.json()) as { data?: { id: string }[] };
  return data.map(({ id }) => id);
}

interface Completion {
  readonly status: number;
  readonly json: { readonly model?: string; readonly error?: { code: string; param: string | null } };
}

async function sendRequest(
  body: string | object,
  secret: string,
  path = '/v1/chat/completions',
  gateway = corral,
) {
  const send = async (): Promise<Completion> => {
    const response = await fetch(`${gateway.origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify({ max_tokens: 2, ...body }),
    });
    return { status: response.status, json: (await response.json()) as Completion['json'] };
  };
  const [{ status, json }, line] = await withLine(gateway, send);
  return { status, json, line };
}

const messages = [{ role: 'user', content: 'limits' }];

it('the log has the models of the router and its slots', () => {
  const warning = corral.logged.find(({ msg }) =>
    String(msg).includes('the backend is a llama-server router'),
  );
  expect(warning?.level).toBe(40);
  expect(corral.logged.find(({ models }) => models)).toMatchObject({ models: 'alpha, beta', slots: 3 });
  expect(corral.gateway.scheduler.counts.capacity).toBe(3);
  expect(strict.gateway.scheduler.counts.capacity).toBe(2);
});

it('each key sees the models that it may use', async () => {
  expect(await listed(secrets.all)).toEqual(['alpha', 'beta']);
  expect(await listed(secrets.beta)).toEqual(['beta']);
  expect(await listed(secrets.all, strict)).toEqual(['alpha']);
});

describe.each([
  ['/v1/chat/completions', { messages }],
  ['/v1/completions', { prompt: 'limits' }],
  ['/v1/messages', { messages }],
  ['/v1/responses', { input: 'limits', max_output_tokens: 2 }],
  ['/completion', { prompt: 'limits', n_predict: 2 }],
  ['/tokenize', { content: 'limits' }],
  ['/v1/messages/count_tokens', { messages }],
])('%s', (path, body) => {
  it.each(['alpha', 'beta'])('is served by %s where the request names it', async (model) => {
    const { status, line } = await sendRequest({ ...body, model }, secrets.all, path);
    expect([status, line.model]).toEqual([200, model]);
  });

  it('is served by a model that the key may use, and by no other', async () => {
    for (const model of [undefined, 'gpt-4o', 'beta']) {
      const { status, line } = await sendRequest({ ...body, model }, secrets.beta, path);
      expect([status, line.model]).toEqual([200, 'beta']);
    }
    const rejected = await sendRequest({ ...body, model: 'alpha' }, secrets.beta, path);
    expect([rejected.status, rejected.line.error]).toEqual([403, 'model_not_allowed']);
  });
});

it('the router gets the resolved name, whatever else the body contains', async () => {
  for (const sent of ['{"model":"alpha","model":"gpt","messages":M}', '{"model":null,"messages":M}']) {
    const { status, json } = await sendRequest(sent.replace('M', JSON.stringify(messages)), secrets.beta);
    expect([status, json.model]).toEqual([200, 'beta']);
  }
  const { status, json } = await sendRequest({ messages, model: 'beta' }, secrets.all, undefined, strict);
  expect([status, json.error?.code]).toEqual([404, 'model_not_found']);
});

it('a form is rejected, because its model is not read', async () => {
  const form = new FormData();
  form.set('model', 'alpha');
  const response = await fetch(`${corral.origin}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.beta}` },
    body: form,
  });
  expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'content-type' } }]);
});

it('the same model continues a stream, and a given beginning', async () => {
  wire.cuts = [9, 5];
  const [{ events }, line] = await withLine(corral, () =>
    requestEvents(corral.port, '/v1/chat/completions', { messages, model: 'beta' }),
  );
  expect(chatTextIn(events)).toBe(storyText('limits'));
  expect(line).toMatchObject({ continued: 2, model: 'beta' });
  const models = wire.streamRequests.slice(-3).map(({ model }) => model);
  expect(models).toEqual(['beta', 'beta', 'beta']);
});

/** The processes that a router started for a model. */
function childrenFor(model: string): number[] {
  const procFile = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const isChild = (pid: string) =>
    procFile(pid, 'stat').includes(`) S ${router.pid} `) ||
    procFile(pid, 'stat').includes(`) R ${router.pid} `);
  return readdirSync('/proc')
    .filter((pid) => isChild(pid) && procFile(pid, 'cmdline').includes(`--alias\0${model}\0`))
    .map(Number);
}

it('a stream continues after the router has lost its model', async () => {
  const story = { messages: [{ role: 'user', content: 'a long story' }], model: 'beta', stream: true };
  await using client = await RawClient.connect(corral.port);
  const [response, line] = await withLine(corral, async () => {
    await client.send(postOf(story, { secret: secrets.all })).receives('Horse 30,');
    for (const pid of childrenFor('beta')) killProcess(pid, 'SIGKILL');
    return client.response();
  });
  expect(chatTextIn(parseEvents(response?.body ?? ''))).toBe(storyText('long story'));
  expect(line.continued).toBeGreaterThan(0);
});

it('no lease is left behind', () => gatewayIsIdle(corral));
