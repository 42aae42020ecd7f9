import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echo, silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const keys = keyFileText({
  plain: { secret: secretOf('plain') },
  own: { secret: secretOf('own'), limits: { requestsPerMinute: 2 } },
  free: { secret: secretOf('free'), limits: { requestsPerMinute: 0 } },
  native: { secret: secretOf('native'), scopes: ['inference', 'native'] },
});

let fakeBackend: FakeBackend;
let gateway: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
});
afterAll(() => fakeBackend.stop());
beforeEach(async () => {
  gateway = await startTestGateway({
    backend: fakeBackend.backend,
    keys,
    env: { MAX_REQUESTS_PER_MINUTE: '3', MAX_QUEUE_SIZE: '0' },
  });
  return () => gateway.stop();
});

interface RequestOptions {
  readonly path?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

async function post(
  id: string,
  { path = '/v1/chat/completions', body = chatOf('hello'), signal }: RequestOptions = {},
) {
  const response = await fetch(gateway.origin + path, {
    method: 'POST',
    signal: signal ?? null,
    headers: { authorization: `Bearer ${secretOf(id)}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const remaining = (response: { headers: Headers }) => response.headers.get('x-ratelimit-remaining-requests');

describe('the requests of a key', () => {
  it('are counted whatever their status, and rejected beyond the limit', async () => {
    const good = await post('plain');
    expect(good.status).toBe(200);
    expect(good.headers.get('x-ratelimit-limit-requests')).toBe('3');
    expect(good.headers.get('x-ratelimit-reset-requests')).toMatch(/^(1m0s|\d+s)$/);
    expect(good.headers.get('x-ratelimit-limit-tokens')).toBeNull();
    expect(remaining(good)).toBe('2');
    const bad = await post('plain', { body: '{' });
    expect([bad.status, remaining(bad)]).toEqual([400, '1']);
    expect(remaining(await post('plain'))).toBe('0');

    const rejected = await post('plain');
    expect([rejected.status, remaining(rejected)]).toEqual([429, '0']);
    expect(JSON.parse(rejected.text).error).toMatchObject({
      type: 'requests',
      code: 'rate_limit_exceeded',
      param: null,
    });
    const waitMs = Number(rejected.headers.get('retry-after-ms'));
    expect(waitMs).toBeGreaterThan(20_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
    expect(rejected.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1000)));
    expect(rejected.headers.get('x-request-id')).toBeTruthy();
  });

  it('are limited by the key before the default applies, and 0 is no limit', async () => {
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await post('own')).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
    for (let n = 0; n < 6; n++) {
      const response = await post('free');
      expect([response.status, remaining(response)]).toEqual([200, null]);
    }
  });

  it('do not count for another key', async () => {
    for (let n = 0; n < 4; n++) await post('plain');
    expect(remaining(await post('native'))).toBe('2');
  });

  it('are rejected before the body is read', async () => {
    for (let n = 0; n < 3; n++) await post('plain');
    const before = fakeBackend.received.length;
    const rejected = await post('plain', { body: '{' });
    expect(rejected.status).toBe(429);
    expect(fakeBackend.received.length).toBe(before);
  });

  it('are rejected while earlier ones still run, in a burst too', async () => {
    fakeBackend.scenario = silent;
    const aborting = new AbortController();
    const first = Array.from({ length: 3 }, () => post('plain', { signal: aborting.signal }));
    await waitFor('the first to be at work', () => fakeBackend.open === 3);
    const responses = await Promise.all(Array.from({ length: 300 }, () => post('plain')));
    expect(responses.every(({ status }) => status === 429)).toBe(true);
    expect(fakeBackend.open).toBe(3);
    fakeBackend.scenario = echo;
    aborting.abort();
    await Promise.allSettled(first);
    await waitFor(
      'every rejection to be logged',
      () => gateway.logged.filter(({ status }) => status === 429).length === 300,
    );
  });

  it('count on every route of the backend, but not for a list of models', async () => {
    await post('native', { path: '/completion', body: { prompt: 'hello' } });
    const list = await fetch(`${gateway.origin}/v1/models`, {
      headers: { authorization: `Bearer ${secretOf('native')}` },
    });
    expect([list.status, remaining(list)]).toEqual([200, '2']);
    expect(remaining(await post('native'))).toBe('1');
  });

  it('are not used up by token counting, which has a separate limit', async () => {
    const paths = ['/v1/messages/count_tokens', '/v1/chat/completions/input_tokens', '/tokenize'];
    const counted = [];
    for (const path of [...paths, '/detokenize']) {
      const { status, headers } = await post('native', { path });
      counted.push([status, remaining({ headers })]);
    }
    expect(counted).toEqual([
      [200, '2'],
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    const served = await post('native');
    expect([served.status, remaining(served)]).toEqual([200, '2']);
  });

  it('without a key get no rate limit headers', async () => {
    const response = await post('nobody');
    expect([response.status, remaining(response)]).toEqual([401, null]);
  });

  it('keep their count when the keys are reloaded', async () => {
    await post('plain');
    await gateway.gateway.reloadKeys();
    expect(remaining(await post('plain'))).toBe('1');
  });
});

it('all requests share one limit if authentication is disabled', async () => {
  await using open = await startTestGateway({
    backend: fakeBackend.backend,
    env: { MAX_REQUESTS_PER_MINUTE: '2', AUTH_ENABLED: 'false' },
  });
  const statuses = [];
  for (const authorization of ['Bearer a', 'Bearer b', '']) {
    const response = await fetch(`${open.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(chatOf('hello')),
    });
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});

it('requests stay within the limit although rejected requests are refunded late', async () => {
  const secret = secretOf('slow');
  const limits = { requestsPerMinute: 3, tokensPerMinute: 50 };
  await using corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: keyFileText({ slow: { secret, limits } }),
    windowSeconds: 2,
  });
  const request = postOf(chatOf('x'.repeat(2000)), { secret });
  const clients: RawClient[] = [];
  for (let n = 0; n < limits.requestsPerMinute; n++) clients.push(await RawClient.connect(corral.port));
  for (const client of clients) client.send(request.slice(0, -1));
  const send = async () => {
    const response = await fetch(`${corral.origin}/v1/models`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    await response.text();
    return Number(remaining(response));
  };
  // They are counted before their bodies are read. What is left may be seen too late: their minute is short.
  await waitFor('all of them to be counted', () => corral.gateway.bodyBudget.bytes > 3 * 2000);
  await waitFor('their minute to be over', async () => (await send()) === limits.requestsPerMinute);
  for (const client of clients) {
    const response = await client.send(request.slice(-1)).response();
    expect([response?.status, JSON.parse(response?.body ?? '{}').error.type]).toEqual([429, 'tokens']);
    client.socket.destroy();
  }
  await waitFor(
    'all of them to be logged',
    () => corral.logged.filter(({ status }) => status === 429).length === 3,
  );
  expect(await send()).toBe(limits.requestsPerMinute);
});
