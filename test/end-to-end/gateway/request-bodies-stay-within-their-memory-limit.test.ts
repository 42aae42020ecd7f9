import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { echo, silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const KIB = 1024;
const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const keys = keyFileText({
  a: { secret: secretOf('a') },
  b: { secret: secretOf('b') },
  c: { secret: secretOf('c') },
});
const env = {
  MAX_REQUEST_BODY_SIZE: '100KiB',
  MAX_REQUEST_BODIES_SIZE: '400KiB',
  CLIENT_HEADER_TIMEOUT: '1h',
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
const clients: RawClient[] = [];
beforeEach(async () => {
  fakeBackend = await startFakeBackend(silent, { slots: 1 });
  corral = await startTestGateway({ backend: fakeBackend.backend, keys, env });
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await corral.stop();
  await fakeBackend.stop();
});

const held = () => corral.gateway.bodyBudget.bytes;
const requestOf = (id: string, size: number, headers: string[] = []) =>
  postOf(chatOf('x'.repeat(size)), { secret: secretOf(id), headers });

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(corral.port);
  clients.push(client);
  return client;
}

/** A request whose last byte is missing. */
async function begin(id: string, size: number): Promise<RawClient> {
  const before = held();
  const client = (await connect()).send(requestOf(id, size).slice(0, -1));
  await waitFor(
    'the bytes of the body to be counted',
    () => held() > before + size - KIB || client.text !== '',
  );
  return client;
}

async function readError(client: RawClient) {
  const response = await client.response();
  const { error } = JSON.parse(response?.body ?? '{}');
  return { status: response?.status, headers: response?.headers, ...error };
}

describe('request bodies', () => {
  it('count while they arrive, and one key may have half of the memory', async () => {
    await begin('a', 90 * KIB);
    await begin('a', 90 * KIB);
    const third = await readError(await begin('a', 90 * KIB));
    expect([third.status, third.type, third.code]).toEqual([429, 'requests', 'rate_limit_exceeded']);
    expect(third.message).toContain('MAX_REQUEST_BODIES_SIZE_PER_KEY');
    expect(Number(third.headers?.['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(third.headers?.connection).toBe('close');
    await begin('b', 90 * KIB);
    await begin('b', 90 * KIB);
    const other = await readError(await begin('c', 90 * KIB));
    expect([other.status, other.code]).toEqual([503, 'queue_full']);
    expect(Number(other.headers?.['retry-after-ms'])).toBeGreaterThanOrEqual(1000);
    expect((await scrape(corral.origin)).value('corral_request_bodies_bytes')).toBe(held());
  });

  it('count while they queue and until their response is complete', async () => {
    for (let n = 0; n < 2; n++) (await connect()).send(requestOf('a', 90 * KIB));
    await waitFor('the second request to be queued', () => corral.gateway.scheduler.counts.waiting === 1);
    expect(held()).toBeGreaterThan(180 * KIB);
    expect((await readError((await connect()).send(requestOf('a', 90 * KIB)))).status).toBe(429);
    fakeBackend.scenario = echo;
    for (const { socket } of clients) socket.destroy();
    await gatewayIsIdle(corral, fakeBackend);
    await waitFor('all memory to be freed', () => held() === 0);
    const late = await (await connect()).send(requestOf('a', 90 * KIB)).response();
    expect(late?.status).toBe(200);
    await waitFor('all memory to be freed again', () => held() === 0);
  });

  it.each(['announced', 'in chunks'])(
    'that come %s are rejected in the middle where the memory is full',
    async (how) => {
      await begin('a', 90 * KIB);
      await begin('a', 90 * KIB);
      const [head = '', body = ''] = requestOf('a', 60 * KIB).split(/(?<=\r\n\r\n)/);
      const client = await connect();
      if (how === 'announced') client.send(head).send(body.slice(0, 40 * KIB));
      else {
        const chunked = head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked');
        client.send(chunked).send(`${body.length.toString(16)}\r\n${body.slice(0, 40 * KIB)}`);
      }
      expect((await readError(client)).status).toBe(429);
      await client.closed();
      expect(held()).toBeLessThan(182 * KIB);
    },
  );

  it.each(['the end', 'a reset', 'invalid JSON', 'a key without permission', 'a body above the limit'])(
    'free their memory after %s',
    async (how) => {
      fakeBackend.scenario = echo;
      const client = await connect();
      const request = requestOf('a', 90 * KIB);
      if (how === 'a reset') {
        client.send(request.slice(0, -1));
        await waitFor('the body to be counted', () => held() > 80 * KIB);
        client.reset();
      } else if (how === 'invalid JSON') client.send(`${request.slice(0, -1)}x`);
      else if (how === 'a key without permission') client.send(request.replace(secretOf('a'), 'sk-nobody'));
      else if (how === 'a body above the limit')
        client
          .send(
            requestOf('a', 10)
              .replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')
              .split('{')[0] ?? '',
          )
          .send(`${(120 * KIB).toString(16)}\r\n${'x'.repeat(110 * KIB)}`);
      else client.send(request);
      if (how !== 'a reset')
        expect((await client.response())?.status).toBe(
          {
            'the end': 200,
            'invalid JSON': 400,
            'a key without permission': 401,
            'a body above the limit': 413,
          }[how],
        );
      await waitFor('the memory to be freed', () => held() === 0);
    },
  );
});

it('without keys, one network may have half of the memory', async () => {
  await using open = await startTestGateway({
    backend: fakeBackend.backend,
    env: { ...env, AUTH_ENABLED: 'false' },
  });
  const from = async (address: string) => {
    const client = await RawClient.connect(open.port, address);
    clients.push(client);
    const before = open.gateway.bodyBudget.bytes;
    client.send(postOf(chatOf('x'.repeat(90 * KIB)), { secret: null }).slice(0, -1));
    await waitFor(
      'the body to be counted',
      () => open.gateway.bodyBudget.bytes > before + 89 * KIB || client.text !== '',
    );
    return client.text.split(' ')[1];
  };
  expect([await from('127.0.0.9'), await from('127.0.0.9'), await from('127.0.0.9')]).toEqual([
    undefined,
    undefined,
    '429',
  ]);
  expect([await from('127.0.0.50'), await from('127.0.0.50'), await from('127.0.0.51')]).toEqual([
    undefined,
    undefined,
    '503',
  ]);
  for (const { socket } of clients) socket.destroy();
});
