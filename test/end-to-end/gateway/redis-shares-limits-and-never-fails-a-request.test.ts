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

/** For tests with a running Redis: on a slow machine the default timeout would make each gateway count on its own. */
const patiently = 3_600_000;

async function ask(house: TestGateway) {
  const answer = await fetch(`${house.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify(chatOf('hello', { max_tokens: 10 })),
  });
  await answer.text();
  return {
    status: answer.status,
    remaining: Number(answer.headers.get('x-ratelimit-remaining-requests')),
    remainingTokens: Number(answer.headers.get('x-ratelimit-remaining-tokens')),
  };
}

const said = ({ logged }: TestGateway, words: string) =>
  logged.filter(({ msg }) => String(msg).includes(words)).length;

describe.skipIf(program === undefined)('Redis', () => {
  let standIn: FakeBackend;
  let redis: RunningRedis;
  const start = async (port?: number) => {
    if (program) redis = await startRedis(program, port);
  };
  const open = async (env: Record<string, string>, redisTimeoutMs?: number) => {
    const all = { REDIS_URL: redis.url, ...env };
    const house = await startTestGateway({ backend: standIn.backend, env: all, redisTimeoutMs });
    if (redisTimeoutMs !== undefined) await together(house);
    return house;
  };
  const together = (house: TestGateway) =>
    waitFor('it to count together', () => house.gateway.sharing === 'together');
  const emptyRedis = async () => {
    redis.kill('SIGKILL');
    await redis.ended;
    await start(redis.port);
  };
  beforeAll(async () => {
    standIn = await startFakeBackend(echo);
    await start();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await standIn.stop();
  });

  it('shares one limit between several gateways', async () => {
    const env = { MAX_REQUESTS_PER_MINUTE: '10', MAX_TOKENS_PER_MINUTE: '100000' };
    await using one = await open(env, patiently);
    await using two = await open(env, patiently);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => ask(n % 2 === 0 ? one : two)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    // Tokens are settled behind the end of an answer.
    const left = async () => [(await ask(one)).remainingTokens, (await ask(two)).remainingTokens];
    await waitFor('both to see all tokens given back', async () => (await left()).join() === '100000,100000');
  });

  it('that is killed under load fails no request, and is used again when it is back', async () => {
    await emptyRedis();
    await using one = await open({ MAX_REQUESTS_PER_MINUTE: '1000000' }, patiently);
    await using two = await open({ MAX_REQUESTS_PER_MINUTE: '1000000' }, patiently);
    const houses = [one, two];
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    let traffic = true;
    const users = Array.from({ length: 8 }, async (_, n) => {
      while (traffic) answers.push(await ask(n % 2 === 0 ? one : two));
    });
    await waitFor('traffic', () => answers.length > 200);
    redis.kill('SIGKILL');
    await redis.ended;
    await waitFor('both to count alone', () => houses.every(({ gateway }) => gateway.sharing === 'alone'));
    const atLoss = answers.length;
    await waitFor('traffic to go on', () => answers.length > atLoss + 200);
    await start(redis.port);
    await waitFor('both to be back', () => houses.every(({ gateway }) => gateway.sharing === 'together'));
    const atReturn = answers.length;
    await waitFor('traffic to go on', () => answers.length > atReturn + 100);
    traffic = false;
    await Promise.all(users);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    for (const house of houses) {
      expect(said(house, 'Redis is unreachable')).toBeGreaterThanOrEqual(1);
      expect(said(house, 'Redis is back')).toBe(said(house, 'Redis is unreachable'));
    }
    const [first, second] = [await ask(one), await ask(two)];
    expect(second.remaining).toBe(first.remaining - 1);
  });

  it('that hangs delays no request, and limits apply locally', async () => {
    await emptyRedis();
    await using house = await open({ MAX_REQUESTS_PER_MINUTE: '5' });
    await together(house);
    redis.kill('SIGSTOP');
    // It stands still until all of them have their answers.
    const answers = [];
    for (let n = 0; n < 7; n++) answers.push(await ask(house));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(house.gateway.sharing).toBe('alone');
    redis.kill('SIGCONT');
    await together(house);
    expect((await ask(house)).status).toBe(200);
  });

  it('that starts after the gateway is found later', async () => {
    redis.kill('SIGKILL');
    await redis.ended;
    await using house = await open({ MAX_REQUESTS_PER_MINUTE: '5' });
    expect(house.gateway.sharing).toBe('alone');
    expect((await ask(house)).remaining).toBe(4);
    const [warning] = house.logged.filter(({ msg }) => String(msg).includes('Redis is unreachable'));
    expect(warning?.why).toMatch(/ECONNREFUSED/);
    await start(redis.port);
    await waitFor('it to be found', () => house.gateway.sharing === 'together');
  });

  it('with a wrong password is reported without logging that password', async () => {
    await emptyRedis();
    const url = redis.url.replace('//', '//user:very-secret-word@');
    await using house = await open({ REDIS_URL: url, MAX_REQUESTS_PER_MINUTE: '5' });
    expect(house.gateway.sharing).toBe('alone');
    expect((await ask(house)).status).toBe(200);
    expect(said(house, 'Redis is unreachable')).toBe(1);
    expect(JSON.stringify(house.logged)).not.toContain('very-secret-word');
  });
});
