import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewKeyOptions } from '../../../keys/secret.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { redisServer } from '../../services/service-catalogue.ts';
import { startRedis } from '../../services/start-redis.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(redisServer);
const secret = 'sk-team-0123456789';
const longTimeoutMs = 3_600_000;

let fake: FakeBackend;
beforeAll(async () => {
  const usage = { prompt_tokens: 30, completion_tokens: 10 };
  fake = await startFakeBackend((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ usage }));
  });
});
afterAll(() => fake.stop());

const startWith = (team: NewKeyOptions, env: Record<string, string> = {}) =>
  startTestGateway({
    backend: fake.backend,
    keys: keyFileText({ team: { secret, usersFrom: 'x-user', ...team } }),
    env,
    redisTimeoutMs: longTimeoutMs,
  });

/** A request of this user; without a name, one of the key itself. */
async function send({ origin }: TestGateway, user: string) {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      ...(user === '' ? {} : { 'x-user': user }),
    },
    body: JSON.stringify(chatOf('hello', { max_tokens: 10 })),
  });
  const { error } = (await response.json()) as { error?: { code: string; message: string } };
  const header = (name: string) => Number(response.headers.get(`x-ratelimit-${name}`));
  return {
    status: response.status,
    code: error?.code,
    message: error?.message,
    requests: [header('remaining-requests'), header('limit-requests')],
    tokens: [header('remaining-tokens'), header('limit-tokens')],
  };
}

const statuses = async (corral: TestGateway, users: string) => {
  const found: number[] = [];
  for (const user of users) found.push((await send(corral, user)).status);
  return found;
};

describe('the requests per minute of users', () => {
  const limits = { limits: { requestsPerMinute: 5 }, userLimits: { requestsPerMinute: 2 } };

  async function check(corral: TestGateway): Promise<void> {
    expect((await send(corral, 'a')).requests, 'of the user, who has less left').toEqual([1, 2]);
    expect(await statuses(corral, 'a')).toEqual([200]);
    const rejected = await send(corral, 'a');
    expect(rejected).toMatchObject({ status: 429, code: 'rate_limit_exceeded', requests: [0, 2] });
    expect(rejected.message).toMatch(
      /^Rate limit reached for requests per minute: limit 2, used 2, .*the limit of each user of this API key/,
    );
    expect((await send(corral, '')).requests, 'of the key itself').toEqual([2, 5]);
    expect((await send(corral, 'b')).requests, 'the same left of both').toEqual([1, 2]);
    expect((await send(corral, 'c')).requests, 'of the key').toEqual([0, 5]);
    const ofKey = await send(corral, 'd');
    expect(ofKey).toMatchObject({ status: 429, requests: [0, 5] });
    expect(ofKey.message).toMatch(
      /^Rate limit reached for requests per minute: limit 5, used 5, .*the limit of this API key/,
    );
    expect((await send(corral, '')).message).not.toMatch(/the limit of/);
  }

  it('are counted beside those of the key, and the answer says which is reached', async () => {
    await using corral = await startWith(limits);
    await check(corral);
  });

  it.skipIf(program === undefined)('are counted in Redis', async () => {
    if (program === undefined) return;
    await using redis = await startRedis(program);
    await using corral = await startWith(limits, { REDIS_URL: redis.url });
    await waitFor('the gateway to share its limits', () => corral.gateway.sharing === 'together');
    await check(corral);
    await using another = await startWith(limits, { REDIS_URL: redis.url });
    await waitFor('the gateway to share its limits', () => another.gateway.sharing === 'together');
    expect((await send(another, 'a')).message).toMatch(/the limit of each user/);
  });

  it('take nothing from a user whose key has nothing left', async () => {
    await using corral = await startWith({
      limits: { requestsPerMinute: 1 },
      userLimits: { requestsPerMinute: 2 },
    });
    await statuses(corral, 'b');
    const messages = [];
    for (let n = 0; n < 4; n++) messages.push((await send(corral, 'a')).message);
    for (const message of messages) expect(message).toMatch(/the limit of this API key/);
  });

  it('hold without any limit of the key', async () => {
    await using corral = await startWith({ userLimits: { requestsPerMinute: 1 } });
    expect(await statuses(corral, 'aabb')).toEqual([200, 429, 200, 429]);
  });
});

describe('the tokens of users', () => {
  it('per minute are reserved and settled beside those of the key', async () => {
    await using corral = await startWith({
      limits: { tokensPerMinute: 1000 },
      userLimits: { tokensPerMinute: 90 },
    });
    expect((await send(corral, 'a')).tokens[1], 'of the user, who has less left').toBe(90);
    const rejected = await waitFor('the limit to be reached', async () => {
      const response = await send(corral, 'a');
      return response.status === 429 && response;
    });
    expect(rejected.message).toMatch(
      /^Rate limit reached for tokens per minute: limit 90, .*the limit of each user of this API key/,
    );
    expect((await send(corral, 'b')).status).toBe(200);
  });

  it('per day have a budget of each user', async () => {
    await using corral = await startWith({ userLimits: { tokensPerDay: 40 } });
    expect((await send(corral, 'a')).status).toBe(200);
    const rejected = await waitFor('the usage', async () => {
      const response = await send(corral, 'a');
      return response.status === 429 && response;
    });
    expect(rejected).toMatchObject({
      code: 'insufficient_quota',
      message: expect.stringMatching(/^This user of the API key has used \d+ of its 40 tokens for today/),
    });
    expect(await statuses(corral, 'b')).toEqual([200]);
  });

  it('in one request are never more than a user may have in a minute', async () => {
    await using corral = await startWith({ userLimits: { tokensPerMinute: 5 } });
    const { message } = await send(corral, 'a');
    expect(message).toContain('each user of this API key is limited to 5 tokens per minute');
  });
});

describe.each([
  ['a user', { userLimits: { tokensPerMinute: 35 } }],
  ['its key', { limits: { tokensPerMinute: 35 } }],
])('where %s has used more tokens than it may', (_, limits) => {
  it.each([
    ['a request that is invalid gets its error', 'POST /v1/chat/completions', '{', 400],
    ['tokens are counted', 'POST /v1/chat/completions/input_tokens', JSON.stringify(chatOf('hello')), 200],
    ['models are listed', 'GET /v1/models', undefined, 200],
  ])('%s', async (_, request, body, status) => {
    await using corral = await startWith(limits);
    expect((await send(corral, 'a')).tokens).toEqual([expect.any(Number), 35]);
    await waitFor('its usage', async () => (await send(corral, 'a')).status === 429);
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(corral.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        'x-user': 'a',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body ?? null,
      signal: AbortSignal.timeout(60_000),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-ratelimit-remaining-tokens')).toBe('0');
  });
});
