import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyAllocation, BodyBudget } from './body-budget.ts';

const codesOf = (budget: BodyBudget, sizes: readonly (readonly [string, number])[]) =>
  sizes.map(([owner, bytes]) => budget.open(owner).allocate(bytes)?.status);

describe('the memory for bodies', () => {
  it('is shared: one owner has a part of it, all together have no more than there is', () => {
    const budget = new BodyBudget({ total: 100, perOwner: 60 });
    const sizes = [
      ['a', 40],
      ['a', 20],
      ['a', 1],
      ['b', 41],
      ['b', 40],
      ['c', 1],
    ] as const;
    expect(codesOf(budget, sizes)).toEqual([undefined, undefined, 429, 503, undefined, 503]);
    expect(budget.bytes).toBe(100);
  });

  it('names a time of its own to each whom it refuses, and forgets that when there is room', () => {
    const budget = new BodyBudget({ total: 100, perOwner: 100 });
    const held = budget.open('a');
    held.allocate(100);
    const waits = () => Number(budget.open('b').errorFor(1)?.headers['retry-after-ms']);
    const first = Array.from({ length: 1000 }, waits);
    expect(new Set(first.slice(0, 40)).size).toBe(40);
    expect(Math.max(...first)).toBeLessThanOrEqual(60_000);
    held[Symbol.dispose]();
    budget.open('a').allocate(100);
    expect(waits()).toBeLessThan(2000);
  });

  it('goes back once, in whatever order bodies come and go', () => {
    const event = fc.tuple(
      fc.constantFrom('open', 'take', 'dispose'),
      fc.nat(5),
      fc.integer({ min: 0, max: 30 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const bounds = { total: 100, perOwner: 60 };
        const budget = new BodyBudget(bounds);
        const open: { held: BodyAllocation; owner: string; bytes: number }[] = [];
        const sum = (owner?: string) =>
          open
            .filter((one) => owner === undefined || one.owner === owner)
            .reduce((all, { bytes }) => all + bytes, 0);
        for (const [what, index, bytes] of events) {
          const one = open[index];
          if (what === 'open')
            open.push({ held: budget.open(`${index % 3}`), owner: `${index % 3}`, bytes: 0 });
          if (what === 'take' && one) {
            const fits = sum() + bytes <= bounds.total && sum(one.owner) + bytes <= bounds.perOwner;
            expect(one.held.allocate(bytes) === undefined).toBe(fits);
            if (fits) one.bytes += bytes;
          }
          if (what === 'dispose' && one) {
            one.held[Symbol.dispose]();
            one.held[Symbol.dispose]();
            open.splice(index, 1);
          }
          expect(budget.bytes).toBe(sum());
        }
        for (const { held } of open) held[Symbol.dispose]();
        expect(budget.bytes).toBe(0);
      }),
    );
  });
});
