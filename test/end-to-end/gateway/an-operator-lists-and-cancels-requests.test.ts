import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { delta, sendAndStall, silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const keys = keyFileText({
  tester: { secret: testerSecret },
  ops: { secret: opsSecret, scopes: ['admin'] },
});

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend(silent, { slots: 1 });
  corral = await startTestGateway({ backend: fake.backend, keys });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});
beforeEach(() => gatewayIsIdle(corral, fake));

const asOps = (request: string, { origin } = corral) => requestGateway(origin, request, opsSecret);
const listed = async (of = corral) =>
  (await asOps('GET /admin/requests', of)).body.requests as Record<string, unknown>[];

/** A client that has sent a chat request with this id. */
async function sendRequest(id: string, fields: object = {}, port = corral.port): Promise<RawClient> {
  const client = await RawClient.connect(port);
  return client.send(postOf(chatOf('hello', fields), { headers: [`x-request-id: ${id}`] }));
}

describe('GET /admin/requests', () => {
  it('lists running and queued requests, oldest first, and no finished ones', async () => {
    fake.scenario = sendAndStall;
    await using running = await sendRequest('runs', { stream: true });
    await running.receives('one');
    await using waiting = await sendRequest('waits');
    await waitFor('a request to wait', () => corral.gateway.scheduler.counts.waiting === 1);
    expect(await listed()).toEqual([
      {
        ...{ id: 'runs', method: 'POST', path: '/v1/chat/completions', address: '127.0.0.1' },
        ...{ key: 'tester', model: 'fake-model', stream: true, state: 'running', tokens: 1 },
        ageMs: expect.any(Number),
        queuedMs: expect.any(Number),
      },
      expect.objectContaining({ id: 'waits', stream: false, state: 'waiting', tokens: 0 }),
    ]);
    running.reset();
    waiting.reset();
    await gatewayIsIdle(corral, fake);
    expect(await listed()).toEqual([]);
  });

  it('lists a request that waits for the next engine as waiting', async () => {
    let held: ServerResponse | undefined;
    fake.scenario = (_, response) => {
      held = response;
    };
    await using client = await sendRequest('survives');
    await waitFor('the request to run', async () => (await listed())[0]?.state === 'running' && held);
    fake.health = 503;
    try {
      held?.destroy();
      await waitFor('the request to be in the queue again', () => {
        const { leased, waiting } = corral.gateway.scheduler.counts;
        return leased === 0 && waiting === 1;
      });
      expect((await listed()).map(({ state }) => state)).toEqual(['waiting']);
      client.reset();
    } finally {
      fake.health = 200;
    }
  });

  it('lists a request that is sent in parts as running', async () => {
    fake.scenario = silent;
    await using client = await RawClient.connect(corral.port);
    const prompts = ['one', 'two', 'three'];
    client.send(postOf({ prompt: prompts }, { path: '/v1/completions' }));
    await waitFor('a part to run', () => fake.open === 1);
    expect((await listed()).map(({ state }) => state)).toEqual(['running']);
    client.reset();
  });

  it('lists a request whose body is still being received', async () => {
    await using client = await RawClient.connect(corral.port);
    client.send(postOf(chatOf('hello'), { headers: ['x-request-id: comes'] }).slice(0, -5));
    await waitFor('the request to be listed', async () => (await listed()).some(({ id }) => id === 'comes'));
    await asOps('DELETE /admin/requests/comes');
    expect(JSON.parse((await client.response())?.body ?? '').error.code).toBe('request_cancelled');
  });
});

describe('DELETE /admin/requests/{id}', () => {
  it.each([
    ['runs', 'and has no response yet'],
    ['waits', 'in the queue'],
  ])('cancels a request that %s %s', async (id) => {
    fake.scenario = silent;
    await using running = await sendRequest('runs');
    await waitFor('a request to run', () => fake.open === 1);
    await using waiting = await sendRequest('waits');
    await waitFor('a request to wait', () => corral.gateway.scheduler.counts.waiting === 1);
    expect(await asOps(`DELETE /admin/requests/${id}`)).toMatchObject({
      status: 200,
      body: { id, cancelled: 1 },
    });
    const response = await (id === 'runs' ? running : waiting).response();
    expect(response?.status).toBe(403);
    expect(response?.headers['x-should-retry']).toBe('false');
    expect(JSON.parse(response?.body ?? '').error).toMatchObject({
      type: 'permission_error',
      code: 'request_cancelled',
    });
    expect((await listed()).map((request) => request.id)).toEqual([id === 'runs' ? 'waits' : 'runs']);
    running.reset();
    waiting.reset();
  });

  it('ends a stream with an error event and frees its slot for the next request', async () => {
    fake.scenario = sendAndStall;
    await using client = await sendRequest('streams', { stream: true });
    await client.receives('one');
    await using next = await sendRequest('next', { stream: true });
    expect((await asOps('DELETE /admin/requests/streams')).body.cancelled).toBe(1);
    const [first, error] = ((await client.response())?.body ?? '').split(/(?<=\n\n)/);
    expect(first).toBe(delta('one'));
    expect(JSON.parse(error?.slice('data: '.length) ?? '').error).toMatchObject({
      code: 'request_cancelled',
      message: expect.stringMatching(/operator/),
    });
    await next.receives('one');
    next.reset();
    await waitFor('its log line', () =>
      corral.logged.some(({ id, error, key }) => id === 'streams' && error === 'request_cancelled' && key),
    );
  });

  it('cancels all requests with an id and returns 404 if there is none', async () => {
    fake.scenario = silent;
    const duplicates = await Promise.all([sendRequest('twin/1+1=2'), sendRequest('twin/1+1=2')]);
    await waitFor('both requests', async () => (await listed()).length === 2);
    expect((await asOps('DELETE /admin/requests/twin/1+1=2')).body.cancelled).toBe(2);
    for (const duplicate of duplicates) {
      expect((await duplicate.response())?.status).toBe(403);
      duplicate.reset();
    }
    const again = await asOps('DELETE /admin/requests/twin/1+1=2');
    expect(again.status).toBe(404);
    expect(again.body.error?.code).toBe('request_not_found');
  });

  it.each(['a stream', 'a response without streaming'])(
    'stops the real engine in the middle of %s',
    async (kind) => {
      await using engine = await startLlamaServer({ slots: 1, context: 60_000 });
      await using gateway = await startTestGateway({ backend: engine.backend, keys });
      const story = { messages: [{ role: 'user', content: 'Please tell the long story' }], ignore_eos: true };
      await using client = await sendRequest(
        'story',
        { ...story, stream: kind === 'a stream' },
        gateway.port,
      );
      await waitFor('tokens', async () => Number((await listed(gateway))[0]?.tokens) > 10);
      await asOps('DELETE /admin/requests/story', gateway);
      const response = await client.response();
      expect(response?.status).toBe(kind === 'a stream' ? 200 : 403);
      expect(response?.body).toContain('"code":"request_cancelled"');
      await gatewayIsIdle(gateway);
      const short = { ...chatOf('hello'), max_tokens: 1 };
      await using next = await sendRequest('next', short, gateway.port);
      expect((await next.response())?.status).toBe(200);
    },
  );
});
