import { afterAll, beforeAll, expect, it } from 'vitest';
import { isForStream, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

const engineHeaders = {
  server: 'llama.cpp',
  'access-control-allow-origin': 'https://evil.example',
  'access-control-allow-credentials': 'true',
  'set-cookie': 'a=b',
  'x-conversation-id': '1',
  'x-powered-by': 'engine',
  etag: '"1"',
};

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend((request, response) => {
    for (const [name, value] of Object.entries(engineHeaders)) response.setHeader(name, value);
    if (isForStream(request)) startStream(response).end('data: [DONE]\n\n');
    else response.setHeader('content-type', 'application/json').end('{}');
  });
  corral = await startTestGateway({ backend: fake.backend, env: { CORS_ORIGINS: 'https://app.example' } });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});

it('only listed request headers reach the backend, with its own key', async () => {
  await using client = await RawClient.connect(corral.port);
  const headers = [
    'X-Conversation-Id: victim',
    'Origin: https://app.example',
    'Cookie: session=1',
    'X-Api-Key: sk-something-else',
    'Api-Key: sk-something-else',
    'X-Forwarded-For: 10.0.0.1',
    'X-Anything: at all',
    'Accept-Encoding: gzip',
    'TE: trailers',
    'Proxy-Authorization: Basic eA==',
    'Accept: text/event-stream',
    'Anthropic-Version: 2023-06-01',
    'Anthropic-Beta: tools',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'X-Request-Id: mine',
  ];
  expect((await client.send(postOf(chatOf('hello'), { headers })).response())?.status).toBe(200);
  const { host, connection, ...received } = fake.received.at(-1)?.headers ?? {};
  expect(received).toEqual({
    'content-type': 'application/json',
    'content-length': expect.any(String),
    accept: 'text/event-stream',
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'tools',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'x-request-id': 'mine',
    authorization: `Bearer ${fake.backend.apiKey}`,
  });
  // The first stream shows whether the backend keeps the connection.
  expect([host, connection]).toEqual([new URL(fake.backend.address.origin).host, 'keep-alive']);
});

it.each([true, false])('only listed response headers reach the client (stream: %s)', async (stream) => {
  await using client = await RawClient.connect(corral.port);
  const response = await client.send(postOf(chatOf('hello', { stream }))).response();
  const always = [
    'connection',
    'date',
    'keep-alive',
    'openai-processing-ms',
    'vary',
    'x-queue-wait-ms',
    'x-request-id',
  ];
  const streamOnly = ['cache-control', 'content-type', 'transfer-encoding', 'x-accel-buffering'];
  const expected = [...always, ...(stream ? streamOnly : ['content-length', 'content-type'])];
  expect(Object.keys(response?.headers ?? {}).toSorted()).toEqual(expected.toSorted());
  if (stream) {
    expect(response?.headers['cache-control']).toBe('no-cache, no-transform');
    expect(response?.headers['x-accel-buffering']).toBe('no');
  }
});
