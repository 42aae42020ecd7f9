import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { redisServer } from '../../services/service-catalogue.ts';
import { type RunningRedis, startRedis } from '../../services/start-redis.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(redisServer);

/** For tests with a running Redis: on a slow machine the default timeout would make each gateway count separately. */
const longTimeoutMs = 3_600_000;

async function send(corral: TestGateway) {
  const response = await fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify(chatOf('hello', { max_tokens: 10 })),
  });
  await response.text();
  return {
    status: response.status,
    remaining: Number(response.headers.get('x-ratelimit-remaining-requests')),
    remainingTokens: Number(response.headers.get('x-ratelimit-remaining-tokens')),
  };
}

const countLogLines = ({ logged }: TestGateway, text: string) =>
  logged.filter(({ msg }) => String(msg).includes(text)).length;

describe.skipIf(program === undefined)('Redis', () => {
  let fakeBackend: FakeBackend;
  let redis: RunningRedis;
  const start = async (port?: number) => {
    if (program) redis = await startRedis(program, port);
  };
  const open = async (env: Record<string, string>, redisTimeoutMs?: number) => {
    const all = { REDIS_URL: redis.url, ...env };
    const corral = await startTestGateway({ backend: fakeBackend.backend, env: all, redisTimeoutMs });
    if (redisTimeoutMs !== undefined) await waitUntilShared(corral);
    return corral;
  };
  const waitUntilShared = (corral: TestGateway) =>
    waitFor('the gateway to share its limits', () => corral.gateway.sharing === 'together');
  const emptyRedis = async () => {
    redis.kill('SIGKILL');
    await redis.ended;
    await start(redis.port);
  };
  beforeAll(async () => {
    fakeBackend = await startFakeBackend(echo);
    await start();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await fakeBackend.stop();
  });

  it('shares one limit between several gateways', async () => {
    const env = { MAX_REQUESTS_PER_MINUTE: '10', MAX_TOKENS_PER_MINUTE: '100000' };
    await using one = await open(env, longTimeoutMs);
    await using two = await open(env, longTimeoutMs);
    const responses = await Promise.all(Array.from({ length: 30 }, (_, n) => send(n % 2 === 0 ? one : two)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(20);
    // Unused tokens are given back after the end of a response.
    const left = async () => [(await send(one)).remainingTokens, (await send(two)).remainingTokens];
    await waitFor('both to see all tokens given back', async () => (await left()).join() === '100000,100000');
  });

  it('that is killed under load fails no request, and is used again when it is back', async () => {
    await emptyRedis();
    await using one = await open({ MAX_REQUESTS_PER_MINUTE: '1000000' }, longTimeoutMs);
    await using two = await open({ MAX_REQUESTS_PER_MINUTE: '1000000' }, longTimeoutMs);
    const gateways = [one, two];
    const responses: Awaited<ReturnType<typeof send>>[] = [];
    let traffic = true;
    const users = Array.from({ length: 8 }, async (_, n) => {
      while (traffic) responses.push(await send(n % 2 === 0 ? one : two));
    });
    await waitFor('traffic', () => responses.length > 200);
    redis.kill('SIGKILL');
    await redis.ended;
    await waitFor('both to count locally', () =>
      gateways.every(({ gateway }) => gateway.sharing === 'alone'),
    );
    const atLoss = responses.length;
    await waitFor('traffic to go on', () => responses.length > atLoss + 200);
    await start(redis.port);
    await waitFor('both to share again', () =>
      gateways.every(({ gateway }) => gateway.sharing === 'together'),
    );
    const atReturn = responses.length;
    await waitFor('traffic to go on', () => responses.length > atReturn + 100);
    traffic = false;
    await Promise.all(users);
    expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
    for (const corral of gateways) {
      expect(countLogLines(corral, 'Redis is unreachable')).toBeGreaterThanOrEqual(1);
      expect(countLogLines(corral, 'Redis is back')).toBe(countLogLines(corral, 'Redis is unreachable'));
    }
    const [first, second] = [await send(one), await send(two)];
    expect(second.remaining).toBe(first.remaining - 1);
  });

  it('that hangs delays no request, and limits apply locally', async () => {
    await emptyRedis();
    await using corral = await open({ MAX_REQUESTS_PER_MINUTE: '5' });
    await waitUntilShared(corral);
    redis.kill('SIGSTOP');
    // It is paused until all requests have their responses.
    const responses = [];
    for (let n = 0; n < 7; n++) responses.push(await send(corral));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(corral.gateway.sharing).toBe('alone');
    redis.kill('SIGCONT');
    await waitUntilShared(corral);
    expect((await send(corral)).status).toBe(200);
  });

  it('that starts after the gateway is found later', async () => {
    redis.kill('SIGKILL');
    await redis.ended;
    await using corral = await open({ MAX_REQUESTS_PER_MINUTE: '5' });
    expect(corral.gateway.sharing).toBe('alone');
    expect((await send(corral)).remaining).toBe(4);
    const [warning] = corral.logged.filter(({ msg }) => String(msg).includes('Redis is unreachable'));
    expect(warning?.why).toMatch(/ECONNREFUSED/);
    await start(redis.port);
    await waitFor('Redis to be found', () => corral.gateway.sharing === 'together');
  });

  it('with a wrong password is reported without logging that password', async () => {
    await emptyRedis();
    const url = redis.url.replace('//', '//user:very-secret-word@');
    await using corral = await open({ REDIS_URL: url, MAX_REQUESTS_PER_MINUTE: '5' });
    expect(corral.gateway.sharing).toBe('alone');
    expect((await send(corral)).status).toBe(200);
    expect(countLogLines(corral, 'Redis is unreachable')).toBe(1);
    expect(JSON.stringify(corral.logged)).not.toContain('very-secret-word');
  });
});
