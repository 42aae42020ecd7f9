import { describe, expect, it } from 'vitest';
import { tokensToReserve } from './reservation.ts';

const bounds = { limit: 10_000, context: 4096, generates: true };
const expected = { input: 100, inputs: 1, output: 50, completions: 1 };

describe('tokensToReserve', () => {
  it.each([
    ['the prompt and the output limit', {}, {}, 150],
    ['the output limit of each completion', { completions: 3 }, {}, 250],
    ['no more than the context for the output', { output: 1_000_000 }, {}, 100 + 4096],
    ['no more than the context for the prompt', { input: 1_000_000 }, {}, 4096 + 50],
    [
      'the context of each of several inputs',
      { input: 1_000_000, inputs: 3, completions: 3 },
      {},
      3 * 4096 + 150,
    ],
    ['the output limit while the context is unknown', { output: 5000 }, { context: undefined }, 5100],
    ['the prompt alone if nothing is generated', { output: undefined }, { generates: false }, 100],
    ['a default output if no limit is set', { output: undefined }, {}, 1124],
    ['no default output that would exceed the rate limit', { output: undefined }, { limit: 500 }, 500],
    ['the whole prompt if it exceeds the rate limit', { output: undefined }, { limit: 90 }, 100],
  ])('is %s', (_, fields, bound, tokens) => {
    expect(tokensToReserve({ ...expected, ...fields }, { ...bounds, ...bound })).toBe(tokens);
  });
});
