import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitTurns } from './fit-turns.ts';

/** A prompt whose turns have these tokens, and a fixed part before them. */
function createPrompt(turns: readonly number[], fixed = 0, estimateOf = (tokens: number) => tokens) {
  const sumFrom = (list: readonly number[], from: number) =>
    list.slice(from).reduce((sum, tokens) => sum + tokens, 0);
  const places = [...turns.keys()];
  const estimates = turns.map(estimateOf);
  const counted: number[] = [];
  return {
    counted,
    tokensAt: (place: number) => fixed + sumFrom(turns, place),
    sizes: places.map((place) => estimateOf(fixed) + sumFrom(estimates, place)),
    count: async (place: number) => {
      counted.push(place);
      return fixed + sumFrom(turns, place);
    },
  };
}

describe('fitTurns', () => {
  it('counts once where everything fits', async () => {
    const { sizes, count, counted } = createPrompt([10, 10, 10]);
    expect(await fitTurns(sizes, { tokens: 30, step: 1 }, count)).toEqual({ turns: 0, tokens: 30 });
    expect(counted).toEqual([0]);
  });

  it('drops as few turns as possible', async () => {
    const { sizes, count, counted } = createPrompt(Array(100).fill(10), 50);
    expect(await fitTurns(sizes, { tokens: 200, step: 1 }, count)).toEqual({ turns: 85, tokens: 200 });
    expect(counted.length).toBeLessThan(6);
  });

  it('keeps the last turn, whatever its length', async () => {
    const { sizes, count } = createPrompt([10, 10, 500]);
    expect(await fitTurns(sizes, { tokens: 100, step: 8 }, count)).toEqual({ turns: 2, tokens: 500 });
  });

  it('does not drop a long turn that fits', async () => {
    const { sizes, count } = createPrompt([500, 400, 300, 300]);
    expect(await fitTurns(sizes, { tokens: 1005, step: 100 }, count)).toEqual({ turns: 1, tokens: 1000 });
  });

  it('begins at the same turn while a conversation grows by less than a step', async () => {
    const begins = new Set<number>();
    for (let turns = 105; turns < 112; turns++) {
      const { sizes, count } = createPrompt(Array(turns).fill(10));
      begins.add((await fitTurns(sizes, { tokens: 1000, step: 125 }, count)).turns);
    }
    expect([...begins]).toEqual([13]);
  });

  it('does not count what is certainly too long', async () => {
    const { sizes, count, counted, tokensAt } = createPrompt(Array(1000).fill(100));
    const { turns } = await fitTurns(sizes, { tokens: 1000, step: 100 }, count);
    expect(tokensAt(turns)).toBeLessThanOrEqual(1000);
    expect(tokensAt(Math.min(...counted))).toBeLessThanOrEqual(16_000);
  });

  it('goes on without a count that the engine does not give', async () => {
    const none = async () => undefined;
    expect(await fitTurns([9, 8], { tokens: 1, step: 1 }, none)).toEqual({ turns: 0, tokens: undefined });
  });

  const limits = fc.record({
    tokens: fc.integer({ min: 1, max: 4000 }),
    step: fc.integer({ min: 1, max: 500 }),
  });
  const lengths = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 30 });

  it('finds what fits, and drops less than two steps more than needed', async () => {
    await fc.assert(
      fc.asyncProperty(
        lengths,
        limits,
        fc.nat(900),
        fc.nat(7),
        async (turnLengths, fitLimits, fixed, skew) => {
          // Estimates are wrong, and differently so from turn to turn.
          const wrong = (tokens: number) => Math.ceil((tokens * (1 + (tokens % 8) * skew)) / 8);
          const { sizes, count, counted, tokensAt } = createPrompt(turnLengths, fixed, wrong);
          const { turns, tokens } = await fitTurns(sizes, fitLimits, count);
          expect(tokens).toBe(tokensAt(turns));
          expect(counted.length).toBeLessThanOrEqual(11);
          const last = turnLengths.length - 1;
          if (turns < last) expect(tokens).toBeLessThanOrEqual(fitLimits.tokens);
          const isCertain = (sizes[0] ?? 0) > fitLimits.tokens * 16;
          if (turns > 0 && !isCertain)
            expect(tokensAt(turns - 1)).toBeGreaterThan(fitLimits.tokens - fitLimits.step);
        },
      ),
    );
  });
});
