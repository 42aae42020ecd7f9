import { describe, expect, it } from 'vitest';
import { expectTokens } from './expected-tokens.ts';

const expectOf = (fields: Record<string, unknown>, answers = 1) =>
  expectTokens(fields, Buffer.byteLength(JSON.stringify(fields)), answers);

describe('expectTokens', () => {
  it('takes four bytes for a token', () => {
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

  it('takes long words for text as long as they could be words', () => {
    expect(expectOf({ prompt: '漢字'.repeat(2000) }).input).toBeGreaterThan(2900);
    expect(expectOf({ prompt: 'some words '.repeat(200) }).input).toBeGreaterThan(500);
  });

  it.each([
    [{ max_tokens: 7 }, 7],
    [{ max_completion_tokens: 8, max_tokens: 7 }, 8],
    [{ max_output_tokens: 9 }, 9],
    [{ n_predict: 0 }, 0],
    [{ n_predict: -1 }, undefined],
    [{ max_tokens: Number.POSITIVE_INFINITY }, 2 ** 31 - 1],
    [{ max_tokens: null }, undefined],
    [{ max_tokens: '12' }, undefined],
    [{}, undefined],
  ])('sees the end that %j names', (fields, output) => {
    expect(expectOf(fields, 2)).toMatchObject({ output, answers: 2 });
  });
});
