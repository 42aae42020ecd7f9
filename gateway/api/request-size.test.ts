import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestBackend } from '../../health/request-backend.ts';
import { type LlamaServer, startLlamaServer } from '../../test/services/start-llama-server.ts';
import { countChoices, estimateTokens, getInputs, getOutputLimit } from './request-size.ts';
import type { CompletionShape, InputsField } from './route-table.ts';

/** Where nothing else ends a response, the context does. */
const context = 256;
const names = ['n_predict', 'max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;
const text = 'tell me a long story';
const routes: readonly [string, CompletionShape | undefined, object][] = [
  ['/v1/chat/completions', 'chat', { messages: [{ role: 'user', content: text }] }],
  ['/v1/completions', 'completion', { prompt: text }],
  ['/v1/responses', 'response', { input: text }],
  ['/v1/messages', 'message', { messages: [{ role: 'user', content: text }] }],
  ['/completion', undefined, { prompt: text }],
];

let engine: LlamaServer;
beforeAll(async () => {
  engine = await startLlamaServer({ slots: 1, context });
});
afterAll(() => engine.stop());

/** What llama-server makes of it: how many tokens it writes, or that it rejects it. */
async function writtenBy(path: string, base: object, limits: string): Promise<number | 'rejected'> {
  const body = Buffer.from(`${JSON.stringify(base).slice(0, -1)},${limits}}`);
  const response = await requestBackend(engine.backend, { path, body, timeoutMs: 60_000 });
  if (response.outcome !== 'responded') throw new Error(`llama-server is ${response.outcome}`);
  if (response.status !== 200) return 'rejected';
  const counted = /"(?:completion_tokens|output_tokens|predicted_n|tokens_predicted)"\s*:\s*(\d+)/.exec(
    response.body,
  );
  return Number(counted?.[1]);
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
    // What a continuation adds behind the client's own takes precedence.
    expect(await writtenBy(path, base, `${limits},"${name}":2`)).toBe(2);
  });

  it.each(['"7"', '[7]', '3000000000', '-2'])('%s is not a limit: llama-server rejects it', async (value) => {
    const name = shape === 'message' ? 'max_tokens' : 'n_predict';
    expect(await writtenBy(path, base, `"${name}":${value}`)).toBe('rejected');
  });
});

it.each([
  [{}, 4096],
  [{ max_tokens: null }, undefined],
  [{ max_tokens: 12, n_predict: 3 }, 12],
])('a message with %j may have %s tokens', (fields, tokens) => {
  expect(getOutputLimit('message', fields)).toEqual({ name: 'max_tokens', tokens });
});

const expectOf = (fields: Record<string, unknown>, batch?: InputsField) => {
  const inputs = getInputs(batch, fields);
  const completions = countChoices('chat', fields) * (inputs?.length ?? 1);
  const bytes = Buffer.byteLength(JSON.stringify(fields));
  return estimateTokens({ fields, shape: 'chat', inputs, bytes, mayHaveMedia: true, completions });
};

describe('estimateTokens', () => {
  it('counts four bytes as a token', () => {
    const fields = { prompt: 'some '.repeat(8000) };
    expect(expectOf(fields).input).toBeGreaterThan(10_000);
    expect(expectOf(fields).input).toBeLessThan(10_010);
  });

  it.each([
    ['a data: URL', { url: `data:image/png;base64,${'iVBORw0K'.repeat(100_000)}` }],
    ['bare base64', { input_audio: { data: 'UklGRiQA'.repeat(100_000), format: 'wav' } }],
  ])('counts %s as one medium, not as text', (_, part) => {
    const { input } = expectOf({ messages: [{ role: 'user', content: [part, { text: 'what is it?' }] }] });
    expect(input).toBeGreaterThan(1000);
    expect(input).toBeLessThan(1100);
  });

  it('counts long words as text', () => {
    expect(expectOf({ prompt: '漢字'.repeat(2000) }).input).toBeGreaterThan(2900);
    expect(expectOf({ prompt: 'some words '.repeat(200) }).input).toBeGreaterThan(500);
  });

  it('counts the text fields of the APIs as text, whatever they contain', () => {
    const long = 'abcdefgh'.repeat(10_000);
    const chat = { messages: [{ role: 'user', content: long }] };
    const parts = { messages: [{ role: 'user', content: [{ type: 'text', text: long }] }] };
    for (const fields of [chat, parts, { input: long }, { system: long }])
      expect(expectOf(fields).input).toBeGreaterThan(20_000);
  });

  const text = 'word '.repeat(20);
  const textTokens = 26;
  it.each<[string, InputsField, Record<string, unknown>, number, number]>([
    ['one text', 'input', { input: text }, 1, textTokens],
    ['texts', 'input', { input: Array(300).fill(text) }, 300, 300 * textTokens],
    ['tokens', 'input', { input: Array(300).fill(7) }, 1, 300],
    ['lists of tokens', 'input', { input: Array(300).fill([1, 2, 3]) }, 300, 900],
    ['texts beside lists of tokens', 'input', { input: [text, [1, 2, 3]] }, 2, textTokens + 3],
    ['texts in the native field', 'input', { content: [text, text] }, 2, 2 * textTokens],
    ['prompts', 'prompt', { prompt: [text, text, text] }, 3, 3 * textTokens],
    ['texts and tokens of one prompt', 'prompt', { prompt: [12, text, 13] }, 1, textTokens + 2],
    [
      'prompts as objects',
      'prompt',
      { prompt: [{ prompt_string: text }, { prompt_string: text }] },
      2,
      2 * textTokens,
    ],
    [
      'a prompt with media',
      'prompt',
      { prompt: { prompt_string: text, multimodal_data: ['eA==', 'eA=='] } },
      1,
      textTokens + 2000,
    ],
    [
      'documents, each with the query',
      'documents',
      { query: text, documents: [text, text] },
      2,
      4 * textTokens,
    ],
    ['texts to be ranked', 'documents', { query: text, texts: [text, text] }, 2, 4 * textTokens],
    [
      'texts behind a field of another kind',
      'documents',
      { query: text, documents: 'x', texts: [text] },
      1,
      2 * textTokens,
    ],
    ['nothing', 'prompt', { prompt: [] }, 1, 0],
  ])('counts the inputs of %s', (_, batch, fields, inputs, input) => {
    expect(expectOf(fields, batch)).toMatchObject({ inputs, input });
  });

  it('counts a completion for each choice of each input', () => {
    expect(expectOf({ prompt: ['a', 'b', 'c'], n: 2 }, 'prompt').completions).toBe(6);
    expect(expectOf({ prompt: ['a', 'b', 'c'], n: 2, n_cmpl: 4 }, 'prompt').completions).toBe(12);
    expect(
      expectOf({ messages: [], n_cmpl: null, n: 3, best_of: 9, num_return_sequences: 9 }).completions,
    ).toBe(3);
  });
});
