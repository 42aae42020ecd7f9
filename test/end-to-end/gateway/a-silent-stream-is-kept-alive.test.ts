import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { delta, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const INTERVAL = 100;

let fake: FakeBackend;
/** Sends headers and keep-alives soon. */
let corral: TestGateway;
/** Never sends them: its `STREAM_HEADERS_AFTER` is longer than the test. */
let slow: TestGateway;
let backend: ServerResponse;
beforeAll(async () => {
  fake = await startFakeBackend(silent);
  const open = (env: Record<string, string>) => startTestGateway({ backend: fake.backend, env });
  corral = await open({ STREAM_HEADERS_AFTER: '50ms', STREAM_KEEPALIVE: `${INTERVAL}ms` });
  slow = await open({ STREAM_HEADERS_AFTER: '1h', STREAM_KEEPALIVE: '1h' });
});
afterAll(async () => {
  await corral.stop();
  await slow.stop();
  await fake.stop();
});
afterEach(async () => {
  await gatewayIsIdle(corral, fake);
  await gatewayIsIdle(slow, fake);
});

const keepAlive = ': keep-alive\n\n';
const countKeepAlives = (text: string) => text.split(keepAlive).length - 1;

/** Sends a request for a stream. Afterwards `backend` is the response of the fake backend. */
async function send({ port } = corral): Promise<RawClient> {
  const { promise, resolve } = Promise.withResolvers<void>();
  fake.scenario = (_, response) => {
    backend = response;
    resolve();
  };
  const client = await RawClient.connect(port);
  client.send(postOf(chatOf('hello', { stream: true })));
  await promise;
  return client;
}

it('a stream gets keep-alives before its first event, after the headers', async () => {
  await using client = await send();
  await waitFor('three keep-alives', () => countKeepAlives(client.text) >= 3);
  expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(client.text).toContain('content-type: text/event-stream\r\n');
  startStream(backend).end(`${delta('one')}data: [DONE]\n\n`);
  const response = await client.response();
  expect(response?.body.replaceAll(keepAlive, '')).toBe(`${delta('one')}data: [DONE]\n\n`);
});

it('a stream gets keep-alives between two events, at the interval of the gateway and not of the engine', async () => {
  const started = performance.now();
  await using client = await send();
  startStream(backend).write(delta('one'));
  for (let n = 0; n < 50; n++) backend.write(':\n\n');
  await waitFor('three keep-alives', () => countKeepAlives(client.text) >= 3);
  backend.end(`${delta('two')}data: [DONE]\n\n`);
  const response = await client.response();
  expect(response?.body.replaceAll(keepAlive, '')).toBe(`${delta('one')}${delta('two')}data: [DONE]\n\n`);
  const intervals = (performance.now() - started) / INTERVAL;
  expect(countKeepAlives(response?.body ?? '')).toBeLessThanOrEqual(Math.ceil(intervals));
});

// Backend, gateway and client share this process. If it paused for long, a keep-alive was due.
it('a stream gets no keep-alives while events flow', async () => {
  const times = [performance.now()];
  await using client = await send();
  startStream(backend);
  const timer = setInterval(() => {
    times.push(performance.now());
    backend.write(delta('on'));
  }, INTERVAL / 10);
  await waitFor('several intervals', () => times.length > 80);
  clearInterval(timer);
  backend.end('data: [DONE]\n\n');
  const response = await client.response();
  times.push(performance.now());
  const pauses = times.filter((time, n) => n > 0 && time - (times[n - 1] ?? 0) > INTERVAL / 2);
  expect(countKeepAlives(response?.body ?? '')).toBeLessThanOrEqual(pauses.length);
});

it('an error before the headers were sent has an error status', async () => {
  await using client = await send(slow);
  backend.writeHead(400).end('{"error":{"code":400,"message":"no","type":"invalid_request_error"}}');
  expect((await client.response())?.status).toBe(400);
});

it('an error after the headers were sent is an error event', async () => {
  await using client = await send();
  await client.receives(keepAlive);
  backend.writeHead(400).end('{"error":{"code":400,"message":"no","type":"invalid_request_error"}}');
  const response = await client.response();
  expect(response?.status).toBe(200);
  const event = response?.body.replaceAll(keepAlive, '') ?? '';
  expect(JSON.parse(event.replace(/^data: /, '')).error).toMatchObject({
    message: 'no',
    code: 'invalid_value',
  });
  await waitFor('its line', () =>
    corral.logged.some(({ error, status }) => error === 'invalid_value' && status === 200),
  );
});

it('a response that is no stream although one was announced is an error event', async () => {
  await using client = await send();
  await client.receives(keepAlive);
  backend.setHeader('content-type', 'application/json').end('{}');
  expect((await client.response())?.body).toContain('"code":"bad_gateway"');
});
