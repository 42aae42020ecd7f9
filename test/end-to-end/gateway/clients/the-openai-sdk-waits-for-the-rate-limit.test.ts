import { RateLimitError } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { type LlamaServer, startLlamaServer } from '../../../services/start-llama-server.ts';
import { connectOpenAI } from './connect-openai.ts';

let engine: LlamaServer;
beforeAll(async () => {
  engine = await startLlamaServer();
});
afterAll(() => engine.stop());

const request = { model: 'demo', messages: [{ role: 'user' as const, content: 'keys' }], max_tokens: 5 };

function connect(env: Record<string, string>, windowSeconds = 60) {
  return startTestGateway({ backend: engine.backend, env, windowSeconds });
}

it('the OpenAI SDK throws a RateLimitError with the time to wait', async () => {
  await using corral = await connect({ MAX_REQUESTS_PER_MINUTE: '1' });
  const { openai } = connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret });
  const { response } = await openai.chat.completions.create(request).withResponse();
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  const error = await openai.chat.completions.create(request).catch((it: unknown) => it);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' });
  const waitMs = Number((error as RateLimitError).headers.get('retry-after-ms'));
  expect(waitMs).toBeGreaterThan(1000);
  expect(waitMs).toBeLessThanOrEqual(60_000);
});

it('the OpenAI SDK waits and is served, without an error for its user', async () => {
  await using corral = await connect({ MAX_REQUESTS_PER_MINUTE: '2' }, 2);
  const { openai, wire } = connectOpenAI(
    { baseURL: `${corral.origin}/v1`, apiKey: corral.secret },
    { maxRetries: 2 },
  );
  const since = performance.now();
  const responses = await Promise.all(
    Array.from({ length: 4 }, () => openai.chat.completions.create({ ...request, stream: false })),
  );
  expect(responses.map((response) => response.choices[0]?.finish_reason)).toEqual(Array(4).fill('length'));
  expect(performance.now() - since).toBeGreaterThan(1500);
  expect(wire.violations).toEqual([]);
});

it('the OpenAI SDK does not retry a request that exceeds the limit alone', async () => {
  await using corral = await connect({ MAX_TOKENS_PER_MINUTE: '100', MAX_REQUESTS_PER_MINUTE: '5' });
  const { openai } = connectOpenAI(
    { baseURL: `${corral.origin}/v1`, apiKey: corral.secret },
    { maxRetries: 2 },
  );
  const error = await openai.chat.completions
    .create({ ...request, max_tokens: 500 })
    .catch((it: unknown) => it);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
  expect((error as RateLimitError).message).toMatch(/5\d\d tokens, .* 100 tokens per minute/);
  expect(corral.logged.filter(({ error: code }) => code === 'rate_limit_exceeded')).toHaveLength(1);
});
