import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { delta, isForStream, sendAndStall, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

/** Each limit is met alone: the others would end the exchange when the test itself has long failed. */
const patient = { STREAM_IDLE_TIMEOUT: '1h', FIRST_BYTE_TIMEOUT: '1h', REQUEST_TIMEOUT: '1h' };

let standIn: FakeBackend;
beforeAll(async () => {
  standIn = await startFakeBackend(silent);
});
beforeEach(() => {
  standIn.mood = silent;
});
afterAll(() => standIn.stop());

async function ask(limit: Partial<typeof patient>, stream: boolean) {
  const env = { ...patient, ...limit };
  await using corral = await startTestGateway({ backend: standIn.backend, env });
  await using client = await RawClient.connect(corral.port);
  const started = performance.now();
  const answer = await client.send(postOf(chatOf('hello', { stream }))).answer();
  await gatewayIsIdle(corral, standIn);
  return { answer, ms: performance.now() - started };
}

it('ends a stream that fell silent with an error event', async () => {
  standIn.mood = (request, response) =>
    isForStream(request) ? sendAndStall(request, response) : silent(request, response);
  const { answer, ms } = await ask({ STREAM_IDLE_TIMEOUT: '500ms' }, true);
  expect(answer?.status).toBe(200);
  const [word, error, rest] = (answer?.body ?? '').split(/(?<=\n\n)/);
  expect(word).toBe(delta('one'));
  expect(JSON.parse((error ?? '').slice('data: '.length)).error).toMatchObject({
    type: 'timeout_error',
    code: 'request_timeout',
  });
  expect(rest).toBeUndefined();
  expect(ms).toBeGreaterThan(450);
});

it('gives a stream that never starts a status of its own', async () => {
  const { answer } = await ask({ FIRST_BYTE_TIMEOUT: '100ms' }, true);
  expect(answer?.status).toBe(504);
  expect(JSON.parse(answer?.body ?? '').error.code).toBe('request_timeout');
});

it('gives any other request as long as REQUEST_TIMEOUT', async () => {
  const { answer, ms } = await ask({ REQUEST_TIMEOUT: '300ms' }, false);
  expect(answer?.status).toBe(504);
  expect(ms).toBeGreaterThan(250);
});

it('ends a stream that moves for longer than REQUEST_TIMEOUT', async () => {
  standIn.mood = (_, response) => {
    startStream(response);
    const timer = setInterval(() => response.write(delta('on')), 50);
    response.once('close', () => clearInterval(timer));
  };
  const { answer } = await ask({ REQUEST_TIMEOUT: '1500ms' }, true);
  expect(answer?.status).toBe(200);
  expect(answer?.body.trim().split('\n\n').at(-1)).toContain('"code":"request_timeout"');
});
