import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestBackend } from '../../../health/request-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const ids = ['narrow', 'wide', 'native'] as const;
const LIMIT = 3000;
const keys = keyFileText({
  narrow: { secret: secretOf('narrow'), limits: { tokensPerMinute: LIMIT } },
  wide: { secret: secretOf('wide'), limits: { tokensPerMinute: 1_000_000 } },
  native: { secret: secretOf('native'), scopes: ['inference', 'native'] },
});
type Id = (typeof ids)[number];

async function post({ origin }: TestGateway, id: Id, path: string, body: object, signal?: AbortSignal) {
  const response = await fetch(origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretOf(id)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', ...body }),
    signal: signal ?? null,
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

/** The input tokens recorded for a key, once this many requests have ended. */
async function tokensIn(corral: TestGateway, id: Id, requests: number): Promise<number> {
  const { ledger } = corral.gateway;
  await waitFor('the usage to be recorded', () => ledger.today(id, Date.now()).requests === requests);
  return ledger.today(id, Date.now()).input;
}

const text = 'word '.repeat(20);

describe.each([
  ['embeddings', ['--embeddings', '--pooling', 'mean']],
  ['rerank', ['--embeddings', '--pooling', 'rank']],
] as const)('a batch of %s', (kind, args) => {
  let engine: LlamaServer;
  let corral: TestGateway;
  beforeAll(async () => {
    // With more slots, builds of August 2026 get the first of several inputs wrong.
    engine = await startLlamaServer({ slots: 1, context: 512, args });
    corral = await startTestGateway({ backend: engine.backend, keys, windowSeconds: 3600 });
  });
  afterAll(async () => {
    await corral.stop();
    await engine.stop();
  });

  const path = kind === 'rerank' ? '/v1/rerank' : '/v1/embeddings';
  const batchOf = (count: number) =>
    kind === 'rerank'
      ? { query: 'word', documents: Array(count).fill(text) }
      : { input: Array(count).fill(text) };

  it('that exceeds the limit per minute is rejected with that reason, and costs nothing', async () => {
    const { status, body } = await post(corral, 'narrow', path, batchOf(300));
    expect([status, body.error.type, body.error.code]).toEqual([429, 'tokens', 'rate_limit_exceeded']);
    expect(body.error.message).toMatch(/may use up to \d{4} tokens.*send fewer inputs at once/);
    expect(await tokensIn(corral, 'narrow', 1)).toBe(0);
  });

  it('reserves the tokens of all its inputs, not of one context, and is charged for what they used', async () => {
    const { status, headers, body } = await post(corral, 'wide', path, batchOf(200));
    expect(status).toBe(200);
    expect(1_000_000 - Number(headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThan(5000);
    expect(await tokensIn(corral, 'wide', 1)).toBe(body.usage.prompt_tokens);
    expect(body.usage.prompt_tokens).toBeGreaterThan(15_000);
  });

  it('gets the response that llama-server gives to the undivided request', async () => {
    const texts = Array.from({ length: 9 }, (_, n) => `word ${'of many '.repeat(n)}`);
    const request = kind === 'rerank' ? { query: 'many', documents: texts, top_n: 5 } : { input: texts };
    const { body } = await post(corral, 'wide', path, request);
    const direct = await requestBackend(engine.backend, {
      path,
      body: { model: 'demo', ...request },
      timeoutMs: 60_000,
    });
    if (direct.outcome !== 'responded') throw new Error(direct.outcome);
    const expectedBody = JSON.parse(direct.body);
    expect({ ...body, data: 0, results: 0 }).toEqual({ ...expectedBody, data: 0, results: 0 });
    const [got, expected] = [body.results ?? body.data, expectedBody.results ?? expectedBody.data];
    expect(got.map(({ index }: { index: number }) => index)).toEqual(
      expected.map(({ index }: { index: number }) => index),
    );
    for (const [n, result] of expected.entries()) {
      const numbers = (one: typeof result): number[] => one.embedding ?? [one.relevance_score];
      for (const [at, number] of numbers(result).entries())
        expect(numbers(got[n])[at]).toBeCloseTo(number, 3);
    }
  });

  it('is charged even if the response has no place for usage', async () => {
    const small = kind === 'rerank' ? { query: 'word', texts: [text, text] } : { content: [text, text] };
    const { status, body } = await post(corral, 'native', path, small);
    expect([status, Array.isArray(body)]).toEqual([200, true]);
    const input = await tokensIn(corral, 'native', 1);
    expect(input).toBeGreaterThan(150);
    expect(input).toBeLessThan(300);
  });
});
