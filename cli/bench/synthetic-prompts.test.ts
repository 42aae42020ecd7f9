import { describe, expect, it } from 'vitest';
import { fitTokens, syntheticPrompt, wordsFor } from './synthetic-prompts.ts';

describe('madePrompt', () => {
  it('has the wanted words behind a beginning of its own, the same from the same seed', () => {
    const prompts = Array.from({ length: 100 }, (_, n) => syntheticPrompt(n, 5, 40));
    expect(prompts.every((prompt) => prompt.split(' ').length === 6)).toBe(true);
    expect(new Set(prompts.map((prompt) => prompt.split(' ')[0])).size).toBe(100);
    expect(syntheticPrompt(7, 5, 40)).toBe(prompts[7]);
  });
});

describe('fitTokens', () => {
  it('finds what a template adds and what a word takes', () => {
    const fit = fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 70 });
    expect(fit).toEqual({ always: 10, perWord: 1.5 });
    expect(wordsFor(10 + 1.5 * 300, fit)).toBe(300);
  });

  it('takes no words for a prompt that the template fills alone', () => {
    expect(wordsFor(4, { always: 10, perWord: 1.5 })).toBe(0);
  });

  it('takes a token for a word where the counts make no sense', () => {
    expect(fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 22 })).toEqual({ always: 0, perWord: 1 });
  });
});
