import { describe, expect, it } from 'vitest';
import { tokensToReserve } from './tokens-to-reserve.ts';

const bounds = { limit: 10_000, context: 4096, generates: true };
const expected = { input: 100, inputs: 1, output: 50, completions: 1 };

describe('tokensToReserve', () => {
  it.each([
    ['the prompt and the named end', {}, {}, 150],
    ['as many ends as there are answers', { completions: 3 }, {}, 250],
    ['no more than a request can hold', { output: 1_000_000 }, {}, 100 + 4096],
    ['no more than a request can hold of a prompt either', { input: 1_000_000 }, {}, 4096 + 50],
    [
      'as much as each of several inputs may hold',
      { input: 1_000_000, inputs: 3, completions: 3 },
      {},
      3 * 4096 + 150,
    ],
    ['what it says while the context is not known', { output: 5000 }, { context: undefined }, 5100],
    ['the prompt alone where nothing is written', { output: undefined }, { generates: false }, 100],
    ['a guess where no end is named', { output: undefined }, {}, 1124],
    ['no guess that would make it too large', { output: undefined }, { limit: 500 }, 500],
    ['the prompt of one that is too large as it is', { output: undefined }, { limit: 90 }, 100],
  ])('is %s', (_, wish, bound, tokens) => {
    expect(tokensToReserve({ ...expected, ...wish }, { ...bounds, ...bound })).toBe(tokens);
  });
});
