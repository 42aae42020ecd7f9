import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { gatewayAtRest } from '../../scripts/harness/gateway-at-rest.ts';
import { delta, silent, startStream } from '../../scripts/harness/moods.ts';
import { RawClient } from '../../scripts/harness/raw-client.ts';
import { chatOf, postOf } from '../../scripts/harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../scripts/harness/start-gateway.ts';
import { type StandInBackend, startStandInBackend } from '../../scripts/harness/start-stand-in-backend.ts';
import { waitFor } from '../../scripts/harness/wait-for.ts';

let standIn: StandInBackend;
let corral: TestGateway;
let backend: ServerResponse;
beforeAll(async () => {
  standIn = await startStandInBackend(silent);
  const env = { STREAM_HEADERS_AFTER: '200ms', STREAM_KEEPALIVE: '100ms' };
  corral = await startTestGateway({ backend: standIn.backend, env });
});
afterAll(async () => {
  await corral.stop();
  await standIn.stop();
});
beforeEach(() => gatewayAtRest(corral, standIn));

const sign = ': keep-alive\n\n';
const signsIn = (text: string) => text.split(sign).length - 1;

/** Sends a request for a stream; from then on `backend` is what the stand-in answers with. */
async function ask(fields: object = {}): Promise<RawClient> {
  const { promise, resolve } = Promise.withResolvers<void>();
  standIn.mood = (_, response) => {
    backend = response;
    resolve();
  };
  const client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('hello', { stream: true, ...fields })));
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
  await using client = await ask();
  startStream(backend).write(delta('one'));
  for (let n = 0; n < 50; n++) backend.write(':\n\n');
  await waitFor('three signs', () => signsIn(client.text) >= 3);
  backend.end(`${delta('two')}data: [DONE]\n\n`);
  const answer = await client.answer();
  expect(answer?.body.replaceAll(sign, '')).toBe(`${delta('one')}${delta('two')}data: [DONE]\n\n`);
  expect(signsIn(answer?.body ?? '')).toBeLessThan(20);
});

it('none while it flows', async () => {
  await using client = await ask();
  startStream(backend);
  const started = performance.now();
  const timer = setInterval(() => backend.write(delta('on')), 20);
  await waitFor('several paces', () => performance.now() - started > 600);
  clearInterval(timer);
  backend.end('data: [DONE]\n\n');
  expect(signsIn((await client.answer())?.body ?? '')).toBe(0);
});

it('a refusal before the headers went out has a status', async () => {
  await using client = await ask();
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
