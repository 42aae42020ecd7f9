import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestBackend } from '../../health/request-backend.ts';
import { type LlamaServer, startLlamaServer } from '../../test/services/start-llama-server.ts';
import { getOutputLimit } from './request-fields.ts';
import type { CompletionShape } from './route-table.ts';

/** Where nothing else ends an answer, the context does. */
const context = 512;
const names = ['n_predict', 'max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;
const words = 'tell me a long story';
const routes: readonly [string, CompletionShape | undefined, object][] = [
  ['/v1/chat/completions', 'chat', { messages: [{ role: 'user', content: words }] }],
  ['/v1/completions', 'completion', { prompt: words }],
  ['/v1/responses', 'response', { input: words }],
  ['/v1/messages', 'message', { messages: [{ role: 'user', content: words }] }],
  ['/completion', undefined, { prompt: words }],
];

let engine: LlamaServer;
beforeAll(async () => {
  engine = await startLlamaServer({ slots: 1, context });
});
afterAll(() => engine.stop());

/** What llama-server makes of it: how many tokens it writes, or that it refuses. */
async function writtenBy(path: string, base: object, limits: string): Promise<number | 'refused'> {
  const body = Buffer.from(`${JSON.stringify(base).slice(0, -1)},${limits}}`);
  const answer = await requestBackend(engine.backend, { path, body, timeoutMs: 60_000 });
  if (answer.outcome !== 'answered') throw new Error(`llama-server is ${answer.outcome}`);
  if (answer.status !== 200) return 'refused';
  const told = /"(?:completion_tokens|output_tokens|predicted_n|tokens_predicted)"\s*:\s*(\d+)/.exec(
    answer.body,
  );
  return Number(told?.[1]);
}

describe.each(routes)('the output limit of %s', (path, shape, base) => {
  const pairs = names.flatMap((one) => names.filter((other) => other !== one).map((other) => [one, other]));
  const values = [-1, null, 0, 7.9, 1e1, true];
  it.each([
    ...pairs.map(([one, other]) => `"${one}":3,"${other}":40`),
    ...names.flatMap((name) => values.map((value) => `"max_completion_tokens":9,"${name}":${value}`)),
    ...values.map((value) => `"max_tokens":9,"max_output_tokens":${value}`),
    '"max_tokens":5',
    '"temperature":0',
  ])('is the one that llama-server applies: %s', async (limits) => {
    const fields = JSON.parse(`{${limits}}`);
    const { tokens = Number.POSITIVE_INFINITY, name } = getOutputLimit(shape, fields);
    const written = await writtenBy(path, base, limits);
    if (tokens < 100) expect(written).toBe(tokens);
    else expect(written).toBeGreaterThan(100);
    // What a continuation adds behind the client's own has the last word.
    expect(await writtenBy(path, base, `${limits},"${name}":2`)).toBe(2);
  });

  it.each(['"7"', '[7]', '3000000000', '-2'])('%s is not a limit: llama-server rejects it', async (value) => {
    const name = shape === 'message' ? 'max_tokens' : 'n_predict';
    expect(await writtenBy(path, base, `"${name}":${value}`)).toBe('refused');
  });
});

it.each([
  [{}, 4096],
  [{ max_tokens: null }, undefined],
  [{ max_tokens: 12, n_predict: 3 }, 12],
])('a message with %j may have %s tokens', (fields, tokens) => {
  expect(getOutputLimit('message', fields)).toEqual({ name: 'max_tokens', tokens });
});
