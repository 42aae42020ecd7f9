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
  it('is what running requests fill of all slots', () => {
    expect(cacheUsage(slots(50, undefined), false)).toBe(0.25);
    expect(cacheUsage(slots(undefined, undefined), false)).toBe(0);
  });

  it('is more where the slots share one context', () => {
    expect(cacheUsage(slots(50, 25), true)).toBe(0.75);
    expect(cacheUsage(slots(80, 80), true)).toBe(1);
  });

  it('leaves out what a finished request left behind', () => {
    expect(cacheUsage('[{"n_ctx":100,"is_processing":false,"n_prompt_tokens":60}]', false)).toBe(0);
  });

  it('is not known where the backend says something else', () => {
    for (const answer of ['', '{}', '[]', 'null', '[null]', '{"error":{"code":501}}', '[{"id":0}]']) {
      expect([answer, cacheUsage(answer, false)]).toEqual([answer, undefined]);
    }
  });
});
