import { expect, it } from 'vitest';
import { delta, echo, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MB = 1024 ** 2;

/** Sends a request a few bytes at a time until all is sent or a response arrives. */
async function drip(client: RawClient, bytes: string, size: number, everyMs: number): Promise<void> {
  for (let at = 0; at < bytes.length && client.text === ''; at += size) {
    client.send(bytes.slice(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

it('a body that trickles in is rejected, although it never stops; a slow one is served', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  // Longer than a pause of a busy machine, and shorter than the slow one takes.
  const env = { CLIENT_HEADER_TIMEOUT: '2s', CLIENT_BODY_MIN_RATE: '1KiB' };
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  const [head = '', body = ''] = postOf(chatOf('x'.repeat(50_000))).split(/(?<=\r\n\r\n)/);
  await using trickling = await RawClient.connect(corral.port);
  await drip(trickling.send(head), body, 1, 20);
  const rejected = await trickling.response();
  expect(rejected?.status).toBe(408);
  expect(JSON.parse(rejected?.body ?? '').error.code).toBe('request_timeout');
  await trickling.closed();
  await using slow = await RawClient.connect(corral.port);
  await drip(slow.send(head), body, 1000, 50);
  expect((await slow.response())?.status).toBe(200);
  await gatewayIsIdle(corral, fakeBackend);
});

it('a body that starts fast and then trickles in is rejected as well', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  const env = { CLIENT_HEADER_TIMEOUT: '600ms', CLIENT_BODY_MIN_RATE: '240' };
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  const request = postOf(chatOf('x'.repeat(2 * MB)));
  await using client = await RawClient.connect(corral.port);
  await drip(client.send(request.slice(0, -1000)), request.slice(-1000), 1, 20);
  expect((await client.response())?.status).toBe(408);
  await client.closed();
  await waitFor('the memory of the body to be freed', () => corral.gateway.bodyBudget.bytes === 0);
});

it('a body in single bytes takes no more memory than its size', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  await using client = await RawClient.connect(corral.port);
  const text = JSON.stringify(chatOf('é'.repeat(10_000)));
  const head = postOf('', { headers: ['Transfer-Encoding: chunked'] }).replace('Content-Length: 0\r\n', '');
  const chunks = [...Buffer.from(text)].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('');
  client.send(head).send(Buffer.from(`${chunks}0\r\n\r\n`, 'latin1'));
  expect(JSON.parse((await client.response())?.body ?? '').choices[0].message.content).toBe(
    'é'.repeat(10_000),
  );
});

it('a complete response that its client does not read is dropped', async () => {
  const piece = delta('x'.repeat(MB));
  const sendLargeResponse: BackendScenario = (_, response) => {
    startStream(response);
    for (let n = 0; n < 24; n++) response.write(piece);
    response.write('data: {"choices":[{"delta":{},"index":0,"finish_reason":"stop"}]}\n\n');
    response.end('data: [DONE]\n\n');
  };
  await using fakeBackend = await startFakeBackend(sendLargeResponse);
  await using corral = await startTestGateway({
    backend: fakeBackend.backend,
    // It is that of the engine as well, which shares this process: on a busy machine it may pause for a second.
    env: { STREAM_IDLE_TIMEOUT: '3s' },
  });
  await using client = await RawClient.connect(corral.port);
  client.socket.pause();
  client.send(postOf(chatOf('hello')));
  await gatewayIsIdle(corral, fakeBackend);
  await waitFor('the connection to be given up', () => corral.gateway.connections.open === 0);
  client.socket.resume();
  await client.closed();
  expect(client.text.length).toBeLessThan(24 * MB);
});

it('a response of usual length holds its slot only while the engine generates, although nobody reads it', async () => {
  const respond: BackendScenario = (_, response) => {
    startStream(response);
    for (let n = 0; n < 90; n++) response.write(delta('x'.repeat(10_000)));
    response.end('data: [DONE]\n\n');
  };
  await using fakeBackend = await startFakeBackend(respond, { slots: 1 });
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  const flood = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(corral.port)));
  for (const { socket } of flood) socket.pause();
  for (const client of flood) client.send(postOf(chatOf('hello', { stream: true })));
  await waitFor('all responses', () => fakeBackend.received.length === flood.length);
  await gatewayIsIdle(corral, fakeBackend);
  for (const client of flood) {
    client.socket.resume();
    const body = (await client.response())?.body ?? '';
    expect([body.length > 900_000, body.endsWith('data: [DONE]\n\n')]).toEqual([true, true]);
    client.socket.destroy();
  }
});
