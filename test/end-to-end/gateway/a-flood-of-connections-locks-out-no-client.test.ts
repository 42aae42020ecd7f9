import { afterEach, expect, it } from 'vitest';
import { echo, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const maxConnections = 20;
const env = { MAX_CONNECTIONS: String(maxConnections), MAX_QUEUE_PER_KEY: '100' };
const flood: RawClient[] = [];
afterEach(() => {
  for (const client of flood.splice(0)) client.socket.destroy();
});

async function connectMany(port: number, count: number, bytes: string): Promise<void> {
  for (let n = 0; n < count; n++) flood.push((await RawClient.connect(port, '127.0.0.66')).send(bytes));
}

it.each(['', 'GET /v1/models HT', 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'])(
  'a flood of connections that send %j is evicted, and a client that was connected before is still served',
  async (bytes) => {
    await using fakeBackend = await startFakeBackend(echo);
    await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
    await using client = await RawClient.connect(corral.port);
    expect((await client.send(postOf(chatOf('first'))).response())?.status).toBe(200);
    await connectMany(corral.port, 3 * maxConnections, bytes);
    await waitFor(
      'the flood to be evicted',
      () => flood.filter(({ isClosed }) => isClosed).length > 2 * maxConnections - 1,
    );
    expect((await client.send(postOf(chatOf('second'))).response())?.body).toContain('second');
    await using late = await RawClient.connect(corral.port);
    expect((await late.send(postOf(chatOf('late'))).response())?.body).toContain('late');
    await gatewayIsIdle(corral, fakeBackend);
    await waitFor('the metrics to report the flood', async () => {
      const { value } = await scrape(corral.origin);
      return (
        (value('corral_connections_displaced_total') ?? 0) > 2 * maxConnections - 1 &&
        value('corral_connections')
      );
    });
  },
);

it('when all connections are busy, the next one is rejected, and accepted once a connection is free', async () => {
  const held: (() => void)[] = [];
  const hold: BackendScenario = (request, response) => {
    if (isForStream(request)) held.push(() => startStream(response).end('data: [DONE]\n\n'));
    else echo(request, response);
  };
  await using fakeBackend = await startFakeBackend(hold, { slots: maxConnections });
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  await connectMany(corral.port, maxConnections, postOf(chatOf('long', { stream: true })));
  await waitFor('all of them to be at work', () => held.length === maxConnections);
  await using rejected = await RawClient.connect(corral.port);
  const result = await rejected.send(postOf(chatOf('late'))).response();
  expect(result?.status).toBe(503);
  expect(JSON.parse(result?.body ?? '').error).toMatchObject({ code: 'too_many_connections', param: null });
  expect(result?.headers).toMatchObject({ 'retry-after': '2', connection: 'close' });
  await rejected.closed();
  for (const release of held) release();
  await gatewayIsIdle(corral, fakeBackend);
  await using late = await RawClient.connect(corral.port);
  expect((await late.send(postOf(chatOf('late'))).response())?.body).toContain('late');
  await waitFor('the metrics to report the flood', async () => {
    return (await scrape(corral.origin)).value('corral_connections_refused_total') === 1;
  });
});
