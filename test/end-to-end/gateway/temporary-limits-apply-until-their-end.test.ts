import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { echo, silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { runCorral } from '../../harness/run-corral.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { redisServer } from '../../services/service-catalogue.ts';
import { startRedis } from '../../services/start-redis.ts';
import { requireTestService } from '../../services/test-service.ts';

const HOUR = 3_600_000;

/** Requests stay counted for as long as a test lasts: the command alone may take a minute. */
const windowSeconds = 3600;
const keys = keyFileText({
  app: { secret: 'sk-app', limits: { requestsPerMinute: 2 } },
  ops: { secret: 'sk-ops', scopes: ['admin'] },
});

let fakeBackend: FakeBackend;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
});
afterAll(() => fakeBackend.stop());
afterEach(() => vi.restoreAllMocks());

async function send({ origin }: TestGateway, signal?: AbortSignal) {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    signal: signal ?? null,
    headers: { authorization: 'Bearer sk-app', 'content-type': 'application/json' },
    body: JSON.stringify(chatOf('hello')),
  });
  await response.text();
  const [limit, remaining] = ['limit', 'remaining'].map((name) =>
    Number(response.headers.get(`x-ratelimit-${name}-requests`)),
  );
  return { status: response.status, limit, remaining };
}

/** The limit of the key is raised by command and ends by the clock alone, and requests stay counted. */
async function raiseAndEnd(corral: TestGateway): Promise<void> {
  expect(await send(corral)).toEqual({ status: 200, limit: 2, remaining: 1 });
  const raised = await runCorral(
    ['keys', 'update', 'app', '--rpm', '1000', '--until', '3h', '--file', corral.keyFile],
    {},
  );
  expect(raised.status).toBe(0);
  let sent = 1;
  const latest = await waitFor('the raised limit', async () => {
    const response = await send(corral);
    if (response.status === 200) sent += 1;
    return response.limit === 1000 && response;
  });
  expect(latest).toEqual({ status: 200, limit: 1000, remaining: 1000 - sent });
  expect(await send(corral)).toMatchObject({ status: 200, remaining: 1000 - sent - 1 });
  const { body } = await requestGateway(corral.origin, 'GET /admin/keys', 'sk-ops');
  expect((body.keys as { id: string }[]).find(({ id }) => id === 'app')).toMatchObject({
    limits: { requestsPerMinute: 2 },
    temporaryLimits: [{ limits: { requestsPerMinute: 1000 }, until: expect.any(String) }],
  });
  const realNow = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3 * HOUR);
  expect(await send(corral)).toMatchObject({ status: 429, limit: 2 });
}

describe('temporary limits apply until their end', () => {
  it('where a gateway counts alone', async () => {
    await using corral = await startTestGateway({ backend: fakeBackend.backend, keys, windowSeconds });
    await raiseAndEnd(corral);
  });

  it('for requests that wait already, too', async () => {
    await using engine = await startFakeBackend(silent);
    const one = { secret: 'sk-app', limits: { concurrent: 1 } };
    await using corral = await startTestGateway({ backend: engine.backend, keys: keyFileText({ app: one }) });
    const clients = new AbortController();
    const requests = [1, 2, 3].map(() => send(corral, clients.signal).catch(() => undefined));
    const { scheduler } = corral.gateway;
    await waitFor('two to wait', () => scheduler.counts.leased === 1 && scheduler.counts.waiting === 2);
    const until = Date.now() + HOUR;
    const temporaryLimits = [{ limits: { concurrent: 2 }, until }];
    writeFileSync(corral.keyFile, keyFileText({ app: { ...one, temporaryLimits } }));
    await waitFor(
      'one of them to run',
      () => scheduler.counts.leased === 2 && scheduler.counts.waiting === 1,
    );
    clients.abort();
    await Promise.all(requests);
  });

  it('where gateways count together in Redis', async ({ skip }) => {
    const program = await requireTestService(redisServer);
    if (program === undefined) return skip();
    await using redis = await startRedis(program);
    const env = { REDIS_URL: redis.url };
    const redisTimeoutMs = HOUR;
    const { backend } = fakeBackend;
    await using corral = await startTestGateway({ backend, keys, env, windowSeconds, redisTimeoutMs });
    await waitFor('the gateway to share its limits', () => corral.gateway.sharing === 'together');
    await raiseAndEnd(corral);
  });
});
