import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestBackend } from '../../../health/request-backend.ts';
import { delta, sendAndStall, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const disconnects: Record<string, (client: RawClient) => void> = {
  'a reset': (client) => client.reset(),
  'a full close': (client) => client.socket.destroy(),
  'a half-close': (client) => client.socket.end(),
};

/** No timeout ends a silent exchange during the test: only the disconnection of the client does. */
const noTimeouts = { FIRST_BYTE_TIMEOUT: '1h', STREAM_IDLE_TIMEOUT: '1h', REQUEST_TIMEOUT: '1h' };

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend(silent, { slots: 1 });
  corral = await startTestGateway({ backend: fake.backend, env: noTimeouts });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});
beforeEach(() => gatewayIsIdle(corral, fake));

describe.each(Object.entries(disconnects))('a client that disconnects by %s frees its slot', (_, leave) => {
  it('before the first byte of its response', async () => {
    fake.scenario = silent;
    await using client = await RawClient.connect(corral.port);
    client.send(postOf(chatOf('hello')));
    await waitFor('the request to arrive', () => fake.open === 1);
    leave(client);
    await gatewayIsIdle(corral, fake);
  });

  it('in the middle of its stream', async () => {
    fake.scenario = sendAndStall;
    await using client = await RawClient.connect(corral.port);
    client.send(postOf(chatOf('hello', { stream: true })));
    await client.receives('one');
    leave(client);
    await gatewayIsIdle(corral, fake);
  });

  it('or its place in the queue', async () => {
    fake.scenario = silent;
    await using holder = await RawClient.connect(corral.port);
    holder.send(postOf(chatOf('holder')));
    await waitFor('the slot to be taken', () => fake.open === 1);
    const sent = fake.received.length;
    await using waiter = await RawClient.connect(corral.port);
    waiter.send(postOf(chatOf('leaver')));
    await waitFor('the request to be queued', () => corral.gateway.scheduler.counts.waiting === 1);
    leave(waiter);
    await waitFor('the queue to be empty', () => corral.gateway.scheduler.counts.waiting === 0);
    holder.reset();
    await gatewayIsIdle(corral, fake);
    expect(fake.received.slice(sent).some(({ body }) => body.includes('leaver'))).toBe(false);
  });

  it('without having read what was sent to it', async () => {
    fake.scenario = (_request, response) => {
      startStream(response);
      const writeMore = () => {
        while (!response.destroyed && response.write(delta('word '.repeat(2000)))) {}
      };
      response.on('drain', writeMore);
      writeMore();
    };
    await using client = await RawClient.connect(corral.port);
    client.socket.pause();
    client.send(postOf(chatOf('hello', { stream: true })));
    await waitFor('the stream to run', () => fake.open === 1);
    await waitFor('the gateway to hold a lease', () => corral.gateway.scheduler.counts.leased === 1);
    leave(client);
    await gatewayIsIdle(corral, fake);
  });
});

describe('a client that disconnects with two requests on one connection', () => {
  it('frees both slots', async () => {
    fake.scenario = silent;
    await using wide = await startFakeBackend(silent, { slots: 2 });
    await using gateway = await startTestGateway({ backend: wide.backend });
    await using client = await RawClient.connect(gateway.port);
    client.send(postOf(chatOf('one')) + postOf(chatOf('two')));
    await waitFor('both to arrive', () => wide.open === 2);
    client.reset();
    await gatewayIsIdle(gateway, wide);
    await waitFor(
      'a log line for each',
      () => gateway.logged.filter(({ status }) => status === 499).length === 2,
    );
  });
});

describe('with the real engine', () => {
  it('a disconnected client frees the slot of a long response', async () => {
    await using engine = await startLlamaServer({ slots: 1, context: 60_000, args: ['--slots'] });
    await using gateway = await startTestGateway({ backend: engine.backend });
    await using client = await RawClient.connect(gateway.port);
    client.send(postOf(chatOf('Please tell the long story', { stream: true, ignore_eos: true })));
    await client.receives('"content":"');
    expect(await busySlots(engine)).toBe(1);
    client.reset();
    await gatewayIsIdle(gateway);
    await waitFor('the engine to stop', async () => (await busySlots(engine)) === 0);
  });
});

async function busySlots({ backend }: Awaited<ReturnType<typeof startLlamaServer>>): Promise<number> {
  const response = await requestBackend(backend, { path: '/slots', timeoutMs: 60_000 });
  if (response.outcome !== 'responded') throw new Error(`/slots: ${response.outcome}`);
  const slots = JSON.parse(response.body) as { is_processing: boolean }[];
  return slots.filter(({ is_processing }) => is_processing).length;
}
