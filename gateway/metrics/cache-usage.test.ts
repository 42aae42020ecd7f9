import { describe, expect, it } from 'vitest';
import { cacheUsage } from './cache-usage.ts';

const slots = (...tokens: (number | undefined)[]) =>
  JSON.stringify(
    tokens.map((n_prompt_tokens) => ({
      n_ctx: 100,
      is_processing: n_prompt_tokens !== undefined,
      n_prompt_tokens,
    })),
  );

describe('the context in use', () => {
  it('is the fraction of all slots filled by running requests', () => {
    expect(cacheUsage(slots(50, undefined), false)).toBe(0.25);
    expect(cacheUsage(slots(undefined, undefined), false)).toBe(0);
  });

  it('is measured against one context if the slots share it', () => {
    expect(cacheUsage(slots(50, 25), true)).toBe(0.75);
    expect(cacheUsage(slots(80, 80), true)).toBe(1);
  });

  it('does not include finished requests', () => {
    expect(cacheUsage('[{"n_ctx":100,"is_processing":false,"n_prompt_tokens":60}]', false)).toBe(0);
  });

  it('is undefined for any other response', () => {
    for (const answer of ['', '{}', '[]', 'null', '[null]', '{"error":{"code":501}}', '[{"id":0}]']) {
      expect([answer, cacheUsage(answer, false)]).toEqual([answer, undefined]);
    }
  });
});
