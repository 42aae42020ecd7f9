import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { delta, isForStream, sendAndStall, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

/** One timeout is tested at a time. The others are longer than the test. */
const longTimeouts = {
  ...{ STREAM_IDLE_TIMEOUT: '1h', FIRST_BYTE_TIMEOUT: '1h', REQUEST_TIMEOUT: '1h' },
  ...{ STREAM_HEADERS_AFTER: '1h', STREAM_KEEPALIVE: '1h' },
};

let fake: FakeBackend;
beforeAll(async () => {
  fake = await startFakeBackend(silent);
});
beforeEach(() => {
  fake.scenario = silent;
});
afterAll(() => fake.stop());

async function send(timeout: Partial<typeof longTimeouts>, stream: boolean) {
  const env = { ...longTimeouts, ...timeout };
  await using corral = await startTestGateway({ backend: fake.backend, env });
  await using client = await RawClient.connect(corral.port);
  const started = performance.now();
  const response = await client.send(postOf(chatOf('hello', { stream }))).response();
  await gatewayIsIdle(corral, fake);
  return { response, ms: performance.now() - started };
}

it('a stream that falls silent ends with an error event', async () => {
  fake.scenario = (request, response) =>
    isForStream(request) ? sendAndStall(request, response) : silent(request, response);
  const { response: result, ms } = await send({ STREAM_IDLE_TIMEOUT: '500ms' }, true);
  expect(result?.status).toBe(200);
  const [first, error, rest] = (result?.body ?? '').split(/(?<=\n\n)/);
  expect(first).toBe(delta('one'));
  expect(JSON.parse((error ?? '').slice('data: '.length)).error).toMatchObject({
    type: 'timeout_error',
    code: 'request_timeout',
  });
  expect(rest).toBeUndefined();
  expect(ms).toBeGreaterThan(450);
});

it('a stream that never starts gets status 504', async () => {
  const { response } = await send({ FIRST_BYTE_TIMEOUT: '100ms' }, true);
  expect(response?.status).toBe(504);
  expect(JSON.parse(response?.body ?? '').error.code).toBe('request_timeout');
});

it('a request without streaming fails at REQUEST_TIMEOUT', async () => {
  const { response, ms } = await send({ REQUEST_TIMEOUT: '300ms' }, false);
  expect(response?.status).toBe(504);
  expect(ms).toBeGreaterThan(250);
});

it('a stream that runs longer than REQUEST_TIMEOUT ends with an error event', async () => {
  fake.scenario = (_, response) => {
    startStream(response);
    const timer = setInterval(() => response.write(delta('on')), 50);
    response.once('close', () => clearInterval(timer));
  };
  // With its headers sent at once, it has begun however slow the machine is.
  const { response: result } = await send({ REQUEST_TIMEOUT: '1500ms', STREAM_HEADERS_AFTER: '0' }, true);
  expect(result?.status).toBe(200);
  expect(result?.body.trim().split('\n\n').at(-1)).toContain('"code":"request_timeout"');
});
