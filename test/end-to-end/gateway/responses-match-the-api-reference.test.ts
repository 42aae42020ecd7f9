import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { createApp } from '../../../gateway/app.ts';
import { proxiedOperations } from '../../../scripts/api-reference/proxied-operations.ts';
import { ApiContract } from '../../harness/api-contract.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const served = vi.hoisted((): { app?: ReturnType<typeof createApp> } => {
  // Other files have loaded the gateway without the mock.
  vi.resetModules();
  return {};
});
vi.mock(import('../../../gateway/app.ts'), async (original) => {
  const { createApp, createRequestListener } = await original();
  return {
    createApp,
    createRequestListener: (app) => {
      served.app = app;
      return createRequestListener(app);
    },
  };
});

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const slowSecret = 'sk-slow-0123456789abcdefghijklmnopqrstuvwxyz012';
const thriftySecret = 'sk-thrifty-0123456789abcdefghijklmnopqrstuvw';
const keys = keyFileText({
  tester: { secret: testerSecret, scopes: ['inference', 'native', 'batch'] },
  ops: { secret: opsSecret, scopes: ['admin', 'metrics'] },
  slow: { secret: slowSecret, limits: { requestsPerMinute: 1 } },
  thrifty: { secret: thriftySecret, limits: { tokensPerMinute: 2 } },
});

let engine: LlamaServer;
let corral: TestGateway;
let contract: ApiContract;
beforeAll(async () => {
  engine = await startLlamaServer();
  const env = {
    STRICT_MODEL: 'true',
    MODEL_ALIAS: 'demo',
    MAX_TOKENS_PER_MINUTE: '1000000',
    MAX_REQUEST_BODY_SIZE: '100KiB',
    STORE: 'on',
    MAX_FILE_SIZE: '100KiB',
  };
  corral = await startTestGateway({ backend: engine.backend, keys, env });
  contract = new ApiContract((await (await fetch(`${corral.origin}/openapi.json`)).json()) as object);
});
afterAll(async () => {
  vi.resetModules();
  await corral.stop();
  await engine.stop();
});

interface Question {
  readonly body?: unknown;
  readonly secret?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const isSent = (body: unknown): body is string | FormData =>
  typeof body === 'string' || body instanceof FormData;

/** Sends a request; returns the status and every difference from the document. */
async function send(question: string, { body, secret = testerSecret, headers = {} }: Question = {}) {
  const [method = '', target = ''] = question.split(' ');
  const response = await fetch(corral.origin + target, {
    method,
    headers: {
      ...(secret !== null && { authorization: `Bearer ${secret}` }),
      ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isSent(body) ? body : JSON.stringify(body) }),
  });
  const path = new URL(response.url).pathname;
  const contentType = response.headers.get('content-type') ?? '';
  const text = await response.text();
  return [
    response.status,
    ...contract.breaches({
      method,
      path,
      status: response.status,
      contentType,
      text,
      headers: response.headers,
    }),
  ];
}

it('the document has every route of the running app, and no other', () => {
  const routes = (served.app?.hono.routes ?? [])
    .filter(({ method, path }) => method !== 'ALL' && !/^\/($|chat$|dashboard|docs|favicon)/.test(path))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{.*\})?/g, '{$1}')}`);
  expect(routes.length).toBeGreaterThan(30);
  expect(contract.operations.toSorted()).toEqual([...new Set(routes)].toSorted());
});

const messages = [{ role: 'user', content: 'keys' }];
const chat = { model: 'demo', messages, max_tokens: 5 };
const prompt = { model: 'demo', prompt: 'keys', max_tokens: 5 };
const response = { model: 'demo', input: 'keys', max_output_tokens: 5 };

describe('responses of a real llama-server', () => {
  it.each([
    ['POST /v1/chat/completions', chat],
    ['POST /chat/completions', { ...chat, n: 2 }],
    ['POST /v1/chat/completions', { ...chat, stream: true, stream_options: { include_usage: true } }],
    ['POST /v1/chat/completions/input_tokens', chat],
    ['POST /v1/completions', prompt],
    ['POST /v1/completions', { ...prompt, stream: true }],
    ['POST /v1/responses', response],
    ['POST /v1/responses', { ...response, stream: true }],
    ['POST /v1/responses/input_tokens', response],
    ['POST /v1/messages', chat],
    ['POST /v1/messages', { ...chat, stream: true }],
    ['POST /v1/messages/count_tokens', chat],
    ['POST /completion', { prompt: 'keys', n_predict: 3 }],
    ['POST /completion', { prompt: 'keys', n_predict: 3, stream: true }],
    ['POST /tokenize', { content: 'keys' }],
    ['POST /tokenize', { content: 'keys', with_pieces: true }],
    ['POST /detokenize', { tokens: [10, 11] }],
    ['POST /apply-template', { messages }],
    ['GET /v1/models', undefined],
    ['GET /v1/models/demo', undefined],
  ])('%s', async (question, body) => {
    expect(await send(question, { body })).toEqual([200]);
  });
});

/** The engine rejects these for the demo model, which supports all others. */
const needOthers = /embeddings|rerank|transcriptions|infill/;

it.each(proxiedOperations)('the example of $path is served', async ({ path, body }) => {
  const [status, ...breaches] = await send(`POST ${path}`, { body: body?.example });
  expect(breaches).toEqual([]);
  expect(needOthers.test(path) ? [400, 501] : [200]).toContain(status);
});

describe('responses of the gateway itself', () => {
  const ops = { secret: opsSecret };
  it.each([
    ['GET /ping', 200],
    ['GET /health', 200],
    ['GET /livez', 200],
    ['GET /readyz', 200],
    ['GET /metrics', 200],
    ['GET /openapi.json', 200],
  ] as const)('%s without a key', async (question, status) => {
    expect(await send(question, { secret: null })).toEqual([status]);
  });

  it.each([
    ['GET /metrics', 200],
    ['GET /admin/keys', 200],
    ['GET /admin/usage', 200],
    ['GET /admin/usage?by=day&since=7d', 200],
    ['GET /admin/usage?since=never', 400],
    ['GET /admin/requests', 200],
    ['DELETE /admin/requests/none', 404],
    ['POST /reload', 200],
    ['POST /admin/restart', 501],
    ['GET /admin/models', 501],
    ['POST /admin/models/demo/load', 501],
    ['POST /admin/models/demo/unload', 501],
    ['POST /admin/models/demo/restart', 501],
    ['PUT /admin/aliases/latest', 400],
    ['POST /admin/aliases/latest/promote', 400],
    ['POST /admin/aliases/latest/rollback', 501],
  ] as const)('%s is %d', async (question, status) => {
    expect(await send(question, ops)).toEqual([status]);
  });

  it('requests in progress, one of which is cancelled', async () => {
    const long = send('POST /v1/chat/completions', {
      body: { ...chat, max_tokens: 4000, messages: [{ role: 'user', content: 'a long story' }] },
      headers: { 'x-request-id': 'long' },
    });
    await waitFor('the request to be listed', async () => {
      expect(await send('GET /admin/requests', ops)).toEqual([200]);
      return corral.gateway.scheduler.counts.leased > 0;
    });
    expect(await send('DELETE /admin/requests/long', ops)).toEqual([200]);
    expect(await long).toEqual([403]);
  });
});

describe('files and batches', () => {
  const form = (size: number, purpose = 'batch') => {
    const body = new FormData();
    body.append('purpose', purpose);
    body.append('file', new Blob(['x'.repeat(size)]), 'lines.jsonl');
    return body;
  };
  const upload = async () => {
    const headers = { authorization: `Bearer ${testerSecret}` };
    const response = await fetch(`${corral.origin}/v1/files`, { method: 'POST', headers, body: form(3) });
    return ((await response.json()) as { id: string }).id;
  };
  const wanted = (input_file_id: string) => ({
    ...{ input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' },
  });
  const requests = [{ custom_id: 'one', params: {} }];

  it.each([
    [200, 'POST /v1/files', { body: form(3) }],
    [400, 'POST /v1/files', { body: form(0) }],
    [400, 'POST /v1/files', { body: form(3, 'other') }],
    [413, 'POST /files', { body: form(200_000) }],
    [415, 'POST /v1/files', { body: { purpose: 'batch' } }],
    [200, 'GET /v1/files?limit=1', {}],
    [400, 'GET /v1/files?limit=0', {}],
    [404, 'GET /files/file-0', {}],
    [404, 'DELETE /v1/files/file-0', {}],
    [404, 'GET /v1/files/file-0/content', {}],
    [400, 'POST /v1/batches', { body: {} }],
    [404, 'POST /v1/batches', { body: wanted('file-0') }],
    [200, 'GET /batches', {}],
    [404, 'GET /v1/batches/batch_0', {}],
    [404, 'POST /v1/batches/batch_0/cancel', {}],
    [200, 'POST /v1/messages/batches', { body: { requests } }],
    [400, 'POST /v1/messages/batches', { body: { requests: [] } }],
    [413, 'POST /v1/messages/batches', { body: { requests, more: 'x'.repeat(200_000) } }],
    [200, 'GET /v1/messages/batches', {}],
    [400, 'GET /v1/messages/batches?limit=0', {}],
    [404, 'GET /v1/messages/batches/msgbatch_0', {}],
    [404, 'GET /v1/messages/batches/msgbatch_0/results', {}],
    [404, 'POST /v1/messages/batches/msgbatch_0/cancel', {}],
    [404, 'DELETE /v1/messages/batches/msgbatch_0', {}],
    [403, 'GET /v1/files', { secret: opsSecret }],
  ] as const)('%d of %s', async (status, question, request) => {
    expect(await send(question, request)).toEqual([status]);
  });

  it('of one file and one batch, from their creation to their end', async () => {
    const id = await upload();
    expect(await send(`GET /v1/files/${id}`)).toEqual([200]);
    const headers = { 'idempotency-key': 'one' };
    expect(await send('POST /v1/batches', { body: wanted(id), headers })).toEqual([200]);
    expect(await send('POST /v1/batches', { body: wanted(await upload()), headers })).toEqual([409]);
    expect(await send(`DELETE /v1/files/${id}`)).toEqual([200]);
  });
});

describe('stored responses and conversations', () => {
  const item = { role: 'user', content: 'keys' };
  const create = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' };
    const created = await fetch(corral.origin + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return ((await created.json()) as { id: string }).id;
  };

  it.each([
    [200, 'POST /v1/conversations', {}],
    [200, 'POST /conversations', { body: { items: [item], metadata: { a: 'b' } } }],
    [400, 'POST /v1/conversations', { body: { items: 1 } }],
    [413, 'POST /v1/conversations', { body: { metadata: { a: 'x'.repeat(200_000) } } }],
    [404, 'GET /v1/conversations/conv_0', {}],
    [404, 'POST /v1/conversations/conv_0', { body: { metadata: {} } }],
    [404, 'DELETE /v1/conversations/conv_0', {}],
    [404, 'GET /v1/conversations/conv_0/items', {}],
    [404, 'POST /v1/conversations/conv_0/items', { body: { items: [item] } }],
    [404, 'GET /v1/conversations/conv_0/items/msg_0', {}],
    [404, 'DELETE /conversations/conv_0/items/msg_0', {}],
    [403, 'POST /v1/conversations', { secret: opsSecret }],
    [404, 'GET /v1/responses/resp_0', {}],
    [404, 'GET /v1/responses/resp_0/input_items', {}],
    [404, 'POST /v1/responses/resp_0/cancel', {}],
    [404, 'DELETE /responses/resp_0', {}],
    [400, 'POST /v1/responses', { body: { ...response, previous_response_id: 'resp_0' } }],
    [404, 'POST /v1/responses', { body: { ...response, conversation: 'conv_0' } }],
  ] as const)('%d of %s', async (status, question, request) => {
    expect(await send(question, request)).toEqual([status]);
  });

  it('of one conversation, from its creation to its end', async () => {
    const id = await create('/v1/conversations', { items: [item] });
    const path = `/v1/conversations/${id}`;
    expect(await send('POST /v1/responses', { body: { ...response, conversation: id } })).toEqual([200]);
    expect(await send(`POST ${path}/items`, { body: { items: [item] } })).toEqual([200]);
    const listed = await fetch(`${corral.origin}${path}/items`, {
      headers: { authorization: `Bearer ${testerSecret}` },
    });
    const { data } = (await listed.json()) as { data: { id: string }[] };
    expect(data).toHaveLength(4);
    expect(await send(`GET ${path}/items?limit=1&order=asc`)).toEqual([200]);
    expect(await send(`GET ${path}/items/${data[0]?.id}`)).toEqual([200]);
    expect(await send(`DELETE ${path}/items/${data[0]?.id}`)).toEqual([200]);
    expect(await send(`POST ${path}`, { body: { metadata: null } })).toEqual([200]);
    expect(await send(`GET ${path}`)).toEqual([200]);
    expect(await send(`DELETE ${path}`)).toEqual([200]);
  });

  it('of one response', async () => {
    const id = await create('/v1/responses', response);
    expect(await send(`GET /v1/responses/${id}`)).toEqual([200]);
    expect(await send(`GET /v1/responses/${id}/input_items`)).toEqual([200]);
    expect(await send(`POST /v1/responses/${id}/cancel`)).toEqual([400]);
    expect(await send(`GET /v1/responses/${id}?stream=true`)).toEqual([400]);
    expect(await send(`DELETE /v1/responses/${id}`)).toEqual([200]);
  });

  it('of one response that is created in the background and cancelled', async () => {
    const id = await create('/v1/responses', { ...response, background: true });
    expect(await send(`GET /v1/responses/${id}`)).toEqual([200]);
    for (const again of [1, 2])
      expect([again, ...(await send(`POST /v1/responses/${id}/cancel`))]).toEqual([again, 200]);
    expect(await send(`GET /v1/responses/${id}`)).toEqual([200]);
    expect(await send(`GET /v1/responses/${id}/input_items`)).toEqual([200]);
  });
});

describe('errors', () => {
  it.each([
    [401, 'POST /v1/chat/completions', { secret: 'sk-wrong', body: chat }],
    [401, 'POST /v1/messages', { secret: null, body: chat }],
    [401, 'GET /admin/keys', { secret: null }],
    [403, 'POST /tokenize', { secret: slowSecret, body: { content: 'keys' } }],
    [403, 'GET /admin/keys', {}],
    [403, 'GET /metrics', {}],
    [400, 'POST /v1/chat/completions', { body: '{"model":' }],
    [400, 'POST /v1/messages', { body: { messages: 'none' } }],
    [400, 'POST /v1/chat/completions', { body: { ...chat, n: 0 } }],
    [404, 'POST /v1/chat/completions', { body: { ...chat, model: 'other' } }],
    [404, 'POST /v1/messages', { body: { ...chat, model: 'other' } }],
    [404, 'GET /v1/models/other', {}],
    [413, 'POST /v1/chat/completions', { body: { ...chat, user: 'x'.repeat(200_000) } }],
    [415, 'POST /v1/chat/completions', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    [429, 'POST /v1/chat/completions', { secret: thriftySecret, body: chat }],
    [501, 'POST /v1/embeddings', { body: { model: 'demo', input: 'keys' } }],
  ] as const)('%d of %s', async (status, question, request) => {
    expect(await send(question, request)).toEqual([status]);
  });

  it('429 for a key above its rate limit', async () => {
    const request = { secret: slowSecret, body: chat };
    expect(await send('POST /v1/chat/completions', request)).toEqual([200]);
    expect(await send('POST /v1/chat/completions', request)).toEqual([429]);
  });
});

it('the check finds a field of the wrong type, an unknown header and an unknown code', async () => {
  const response = {
    method: 'GET',
    path: '/v1/models',
    contentType: 'application/json',
    headers: new Headers({ 'x-new': '1' }),
  };
  expect(
    contract.breaches({ ...response, status: 200, text: '{"object":"list","data":[{"id":1}]}' }),
  ).toEqual([expect.stringContaining('it has x-new'), expect.stringContaining('data/0/id must be string')]);
  const error = { message: 'm', type: 't', param: null, code: 'new' };
  expect(
    contract.breaches({ ...response, headers: new Headers(), status: 401, text: JSON.stringify({ error }) }),
  ).toEqual([expect.stringContaining('the code new is not one of invalid_api_key')]);
});
