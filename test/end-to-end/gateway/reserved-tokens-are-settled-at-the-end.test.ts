import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const LIMIT = 20_000;

let engine: LlamaServer;
let corral: TestGateway;
beforeAll(async () => {
  engine = await startLlamaServer();
  return () => engine.stop();
});
beforeEach(async () => {
  corral = await startTestGateway({
    backend: engine.backend,
    env: { MAX_TOKENS_PER_MINUTE: String(LIMIT) },
    // Tokens stay counted for as long as a test lasts.
    windowSeconds: 3600,
  });
  return () => corral.stop();
});

interface RequestOptions {
  readonly path?: string;
  readonly signal?: AbortSignal;
}

async function post(body: object, { path = '/v1/chat/completions', signal }: RequestOptions = {}) {
  return fetch(corral.origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', ...body }),
    ...(signal && { signal }),
  });
}

const bodyOf = (content: string) => ({ messages: [{ role: 'user', content }] });
const remainingIn = ({ headers }: Response) => Number(headers.get('x-ratelimit-remaining-tokens'));

/** The tokens used when no request is in progress any more. Reading them costs nothing. */
async function reservedTokens(): Promise<number> {
  const authorization = `Bearer ${testerSecret}`;
  return LIMIT - remainingIn(await fetch(`${corral.origin}/v1/models`, { headers: { authorization } }));
}

const waitForCharge = (tokens: number) =>
  waitFor(`${tokens} tokens to be taken`, async () => (await reservedTokens()) === tokens);

describe('the tokens that a request has reserved', () => {
  it('are the prompt and the output limit, and become the actual usage', async () => {
    const response = await post({ ...bodyOf('keys'), max_tokens: 5000 });
    expect(LIMIT - remainingIn(response)).toBeGreaterThan(5000);
    expect(LIMIT - remainingIn(response)).toBeLessThan(5100);
    expect(response.headers.get('x-ratelimit-limit-tokens')).toBe(String(LIMIT));
    expect(response.headers.get('x-ratelimit-reset-tokens')).toMatch(/^(\d+h)?(\d+m)?\d+s$/);
    const { usage } = (await response.json()) as { usage: { total_tokens: number } };
    expect(usage.total_tokens).toBeLessThan(1000);
    await waitForCharge(usage.total_tokens);
  });

  it('of a long stream become the actual usage, even beyond the reservation', async () => {
    const response = await post({
      ...bodyOf('long story'),
      stream: true,
      stream_options: { include_usage: true },
    });
    const reserved = LIMIT - remainingIn(response);
    const text = await response.text();
    const total = Number(/"total_tokens":(\d+)/.exec(text)?.[1]);
    expect(total).toBeGreaterThan(reserved);
    await waitForCharge(total);
  });

  it('of a disconnected client become what was processed and generated for it', async () => {
    const aborting = new AbortController();
    const response = await post(
      { ...bodyOf('long story'), stream: true, max_tokens: 8000 },
      { signal: aborting.signal },
    );
    const reader = response.body?.getReader();
    await reader?.read();
    expect(LIMIT - remainingIn(response)).toBeGreaterThan(8000);
    aborting.abort();
    await gatewayIsIdle(corral);
    await waitFor('the rest to go back', async () => (await reservedTokens()) < 8000);
    expect(await reservedTokens()).toBeGreaterThan(0);
  });

  it('are fully refunded if the engine rejects the request', async () => {
    const response = await post({ ...bodyOf('keys'), max_tokens: 50, response_format: { type: 'nonsense' } });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(remainingIn(response)).toBeLessThan(LIMIT);
    await waitForCharge(0);
  });

  it('are none for token counting and lists', async () => {
    const response = await post(bodyOf('keys'), { path: '/v1/chat/completions/input_tokens' });
    expect([response.status, remainingIn(response)]).toEqual([200, LIMIT]);
    expect(await reservedTokens()).toBe(0);
  });
});

describe('a request that does not fit', () => {
  it('gets the time to wait, and does not count', async () => {
    await using fakeBackend = await startFakeBackend(silent);
    await corral.stop();
    corral = await startTestGateway({
      backend: fakeBackend.backend,
      env: { MAX_TOKENS_PER_MINUTE: String(LIMIT), MAX_REQUESTS_PER_MINUTE: '10' },
    });
    const aborting = new AbortController();
    const underWay = [1, 2].map(() =>
      post({ ...bodyOf('keys'), max_tokens: 4000, n: 2 }, { signal: aborting.signal }).catch(() => 'left'),
    );
    await waitFor('two requests to be under way', () => fakeBackend.open === 2);
    const rejected = await post({ ...bodyOf('keys'), max_tokens: 4000 });
    expect(rejected.status).toBe(429);
    const { error } = (await rejected.json()) as { error: { message: string } };
    expect(error).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    expect(error.message).toMatch(/limit 20000, used 160\d\d, requested 40\d\d/);
    expect(Number(rejected.headers.get('retry-after-ms'))).toBeLessThanOrEqual(60_000);
    expect(rejected.headers.get('x-should-retry')).toBeNull();
    aborting.abort();
    expect(await Promise.all(underWay)).toEqual(['left', 'left']);
    const authorization = `Bearer ${testerSecret}`;
    const { headers } = await fetch(`${corral.origin}/v1/models`, { headers: { authorization } });
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('8');
  });

  it('even in an empty minute gets an error without Retry-After', async () => {
    await corral.stop();
    corral = await startTestGateway({ backend: engine.backend, env: { MAX_TOKENS_PER_MINUTE: '1000' } });
    const rejected = await post({ ...bodyOf('keys'), max_tokens: 4000 });
    expect([rejected.status, rejected.headers.get('x-should-retry')]).toEqual([429, 'false']);
    expect(rejected.headers.get('retry-after')).toBeNull();
    const { error } = (await rejected.json()) as { error: { message: string } };
    expect(error).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    expect(error.message).toMatch(/may use up to 40\d\d tokens, .* limited to 1000 tokens per minute/);
    const response = await post(bodyOf('keys'));
    expect(response.status).toBe(200);
  });
});
