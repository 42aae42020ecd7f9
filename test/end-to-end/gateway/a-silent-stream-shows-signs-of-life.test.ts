import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { delta, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const PACE = 100;

let standIn: FakeBackend;
/** Sends its headers and its signs soon. */
let corral: TestGateway;
/** Never sends them: its `STREAM_HEADERS_AFTER` is over when the test itself has long failed. */
let slow: TestGateway;
let backend: ServerResponse;
beforeAll(async () => {
  standIn = await startFakeBackend(silent);
  const open = (env: Record<string, string>) => startTestGateway({ backend: standIn.backend, env });
  corral = await open({ STREAM_HEADERS_AFTER: '50ms', STREAM_KEEPALIVE: `${PACE}ms` });
  slow = await open({ STREAM_HEADERS_AFTER: '1h', STREAM_KEEPALIVE: '1h' });
});
afterAll(async () => {
  await corral.stop();
  await slow.stop();
  await standIn.stop();
});
afterEach(async () => {
  await gatewayIsIdle(corral, standIn);
  await gatewayIsIdle(slow, standIn);
});

const sign = ': keep-alive\n\n';
const signsIn = (text: string) => text.split(sign).length - 1;

/** Sends a request for a stream; from then on `backend` is what the stand-in answers with. */
async function ask({ port } = corral): Promise<RawClient> {
  const { promise, resolve } = Promise.withResolvers<void>();
  standIn.mood = (_, response) => {
    backend = response;
    resolve();
  };
  const client = await RawClient.connect(port);
  client.send(postOf(chatOf('hello', { stream: true })));
  await promise;
  return client;
}

it('before its first event, headers first', async () => {
  await using client = await ask();
  await waitFor('three signs', () => signsIn(client.text) >= 3);
  expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(client.text).toContain('content-type: text/event-stream\r\n');
  startStream(backend).end(`${delta('one')}data: [DONE]\n\n`);
  const answer = await client.answer();
  expect(answer?.body.replaceAll(sign, '')).toBe(`${delta('one')}data: [DONE]\n\n`);
});

it('between two events, at our pace and not at the engine’s', async () => {
  const started = performance.now();
  await using client = await ask();
  startStream(backend).write(delta('one'));
  for (let n = 0; n < 50; n++) backend.write(':\n\n');
  await waitFor('three signs', () => signsIn(client.text) >= 3);
  backend.end(`${delta('two')}data: [DONE]\n\n`);
  const answer = await client.answer();
  expect(answer?.body.replaceAll(sign, '')).toBe(`${delta('one')}${delta('two')}data: [DONE]\n\n`);
  const paces = (performance.now() - started) / PACE;
  expect(signsIn(answer?.body ?? '')).toBeLessThanOrEqual(Math.ceil(paces));
});

// Backend, gateway and client share this process: where it stood still for long, a sign was due.
it('none while it flows', async () => {
  await using client = await ask();
  startStream(backend);
  const times = [performance.now()];
  const timer = setInterval(() => {
    times.push(performance.now());
    backend.write(delta('on'));
  }, PACE / 10);
  await waitFor('several paces', () => times.length > 80);
  clearInterval(timer);
  backend.end('data: [DONE]\n\n');
  const pauses = times.filter((time, n) => n > 0 && time - (times[n - 1] ?? 0) > PACE / 2);
  expect(signsIn((await client.answer())?.body ?? '')).toBeLessThanOrEqual(pauses.length);
});

it('a refusal before the headers went out has a status', async () => {
  await using client = await ask(slow);
  backend.writeHead(400).end('{"error":{"code":400,"message":"no","type":"invalid_request_error"}}');
  expect((await client.answer())?.status).toBe(400);
});

it('a refusal after them is an error event', async () => {
  await using client = await ask();
  await client.receives(sign);
  backend.writeHead(400).end('{"error":{"code":400,"message":"no","type":"invalid_request_error"}}');
  const answer = await client.answer();
  expect(answer?.status).toBe(200);
  const event = answer?.body.replaceAll(sign, '') ?? '';
  expect(JSON.parse(event.replace(/^data: /, '')).error).toMatchObject({
    message: 'no',
    code: 'invalid_value',
  });
  await waitFor('its line', () =>
    corral.logged.some(({ error, status }) => error === 'invalid_value' && status === 200),
  );
});

it('an answer in another form than was promised is an error event, too', async () => {
  await using client = await ask();
  await client.receives(sign);
  backend.setHeader('content-type', 'application/json').end('{}');
  expect((await client.answer())?.body).toContain('"code":"bad_gateway"');
});
