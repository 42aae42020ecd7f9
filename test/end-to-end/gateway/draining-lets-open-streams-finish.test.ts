import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** One slot, held by a stream that goes on; one request that waits; one idle connection. */
async function startBusyGateway(env: Record<string, string>) {
  const streams: ServerResponse[] = [];
  const fake = await startFakeBackend(
    (_, response) => {
      startStream(response).write(delta('one'));
      streams.push(response);
    },
    { slots: 1 },
  );
  const corral = await startTestGateway({ backend: fake.backend, env });
  const [streaming, waiting, idle] = await Promise.all([1, 2, 3].map(() => RawClient.connect(corral.port)));
  if (!streaming || !waiting || !idle) throw new Error('three clients were to be connected');
  await streaming.send(postOf(chatOf('stream', { stream: true }))).receives('one');
  waiting.send(postOf(chatOf('waits')));
  await waitFor('one to be queued', () => corral.gateway.scheduler.counts.waiting === 1);
  await idle.send('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n').response();
  return { fake, corral, streams, streaming, waiting, idle };
}

it('a drain finishes running requests, and rejects queued and new ones', async () => {
  const { fake, corral, streams, streaming, waiting, idle } = await startBusyGateway({});
  let isStopped = false;
  const stopped = corral.gateway.stop().then(() => {
    isStopped = true;
  });
  const rejected = await waiting.response();
  expect(rejected?.status).toBe(503);
  expect(JSON.parse(rejected?.body ?? '').error.code).toBe('draining');
  expect(rejected?.headers['retry-after']).toBe('1');
  await expect(fetch(`${corral.origin}/ping`)).rejects.toThrow('fetch failed');
  await idle.closed();
  expect(isStopped).toBe(false);
  for (const stream of streams) stream.end(`${delta('two')}data: [DONE]\n\n`);
  expect((await streaming.response())?.body).toBe(`${delta('one')}${delta('two')}data: [DONE]\n\n`);
  await stopped;
  expect(corral.gateway.scheduler.counts).toMatchObject({ leased: 0, waiting: 0 });
  await fake.stop();
});

it.each([
  ['announced', (body: string) => [`Content-Length: ${body.length}`, body.slice(0, -5)]],
  ['in chunks', () => ['Transfer-Encoding: chunked', '5\r\n{"mes\r\n']],
])('a drain does not wait for a body that is half sent, %s', async (_, halfOf) => {
  await using fake = await startFakeBackend((_, response) => response.end('{}'));
  const corral = await startTestGateway({ backend: fake.backend, env: { DRAIN_TIMEOUT: '1h' } });
  await using client = await RawClient.connect(corral.port);
  const [head, half] = halfOf(JSON.stringify(chatOf('hello')));
  const lines = ['POST /v1/chat/completions HTTP/1.1', 'Host: x', 'Content-Type: application/json', head];
  client.send([...lines, `Authorization: Bearer ${testerSecret}`, '', half].join('\r\n'));
  await waitFor('the request to be read', () => corral.gateway.bodyBudget.bytes > 0);
  const stopped = corral.gateway.stop();
  const rejected = await client.response();
  expect([rejected?.status, JSON.parse(rejected?.body ?? '').error.code]).toEqual([503, 'draining']);
  await client.closed();
  await stopped;
  await corral.stop();
});

it('a drain does not wait for a connection that has sent nothing', async () => {
  await using fake = await startFakeBackend((_, response) => response.end('{}'));
  const corral = await startTestGateway({ backend: fake.backend, env: { DRAIN_TIMEOUT: '60s' } });
  await using silent = await RawClient.connect(corral.port);
  // Node has accepted it when it responds to a connection that was opened later.
  await fetch(`${corral.origin}/ping`);
  await corral.stop();
  await silent.closed();
});

it('a drain rejects requests and probes with 503 on a connection that is still open', async () => {
  const { fake, corral, streams, waiting } = await startBusyGateway({});
  // Two requests behind one that waits: they are read before the connection closes.
  waiting.send(`GET /ping HTTP/1.1\r\nHost: x\r\n\r\n${postOf(chatOf('late'))}`);
  void corral.gateway.stop();
  const statuses = [(await waiting.response())?.status, (await waiting.response())?.status];
  expect(statuses[0]).toBe(503);
  expect([503, undefined, 200]).toContain(statuses[1]);
  for (const stream of streams) stream.end('data: [DONE]\n\n');
  await corral.gateway.stop();
  await fake.stop();
});

it.each(['the deadline', 'a second stop'])(
  'a drain ends a stream that outlives %s with an error event',
  async (what) => {
    const env = { DRAIN_TIMEOUT: what === 'the deadline' ? '100ms' : '60s' };
    const { fake, corral, streaming } = await startBusyGateway(env);
    const stopped = corral.gateway.stop();
    if (what === 'a second stop') void corral.gateway.stop();
    const response = await streaming.response();
    const [first, error] = (response?.body ?? '').split(/(?<=\n\n)/);
    expect(first).toBe(delta('one'));
    expect(JSON.parse(error?.slice('data: '.length) ?? '').error.code).toBe('draining');
    await stopped;
    expect(corral.gateway.scheduler.counts.leased).toBe(0);
    await fake.stop();
  },
);
