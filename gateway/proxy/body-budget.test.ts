import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyAllocation, BodyBudget, type BodyOwner } from './body-budget.ts';

const statusesOf = (budget: BodyBudget, sizes: readonly (readonly [string, number])[]) =>
  sizes.map(([owner, bytes]) => budget.open(ownerOf(owner)).allocate(bytes)?.status);

/** `team/ann` is a user of the key `team`. */
function ownerOf(name: string): BodyOwner {
  const [id = '', user] = name.split('/');
  return { id, user: user && `${id} ${user}` };
}

describe('the memory for request bodies', () => {
  it('is limited for each owner and for all together', () => {
    const budget = new BodyBudget({ total: 100, perOwner: 60, perUser: 30 });
    const sizes = [
      ['a', 40],
      ['a', 20],
      ['a', 1],
      ['b', 41],
      ['b', 40],
      ['c', 1],
    ] as const;
    expect(statusesOf(budget, sizes)).toEqual([undefined, undefined, 429, 503, undefined, 503]);
    expect(budget.bytes).toBe(100);
  });

  it('is shared by the users of a key, of whom none can take all of it', () => {
    const budget = new BodyBudget({ total: 100, perOwner: 60, perUser: 30 });
    const sizes = [
      ['team/ann', 30],
      ['team/ann', 1],
      ['team/bob', 20],
      ['team', 10],
      ['team/eve', 1],
      ['other/ann', 30],
    ] as const;
    expect(statusesOf(budget, sizes)).toEqual([undefined, 429, undefined, undefined, 429, undefined]);
    expect(budget.open(ownerOf('team/eve')).errorFor(1)?.message).toContain(
      'from this client hold 60 bytes of request bodies; the limit is 60 bytes (MAX_REQUEST_BODIES',
    );
    expect(budget.open(ownerOf('other/ann')).errorFor(1)?.message).toContain(
      'from this user of the API key hold 30 bytes of request bodies; the limit is 30 bytes (half of MAX_REQUEST_BODIES',
    );
  });

  it('gives each rejected request a time of its own, and starts over when there is memory', () => {
    const budget = new BodyBudget({ total: 100, perOwner: 100, perUser: 50 });
    const allocation = budget.open(ownerOf('a'));
    allocation.allocate(100);
    const waits = () => Number(budget.open(ownerOf('b')).errorFor(1)?.headers['retry-after-ms']);
    const first = Array.from({ length: 1000 }, waits);
    expect(new Set(first.slice(0, 40)).size).toBe(40);
    expect(Math.max(...first)).toBeLessThanOrEqual(60_000);
    allocation[Symbol.dispose]();
    budget.open(ownerOf('a')).allocate(100);
    expect(waits()).toBeLessThan(2000);
  });

  it('is returned exactly once, in whatever order bodies come and go', () => {
    const event = fc.tuple(
      fc.constantFrom('open', 'allocate', 'dispose'),
      fc.nat(5),
      fc.integer({ min: 0, max: 30 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const limits = { total: 100, perOwner: 60, perUser: 40 };
        const names = ['a', 'b', 'b/ann', 'b/bob'];
        const budget = new BodyBudget(limits);
        const open: { allocation: BodyAllocation; owner: string; bytes: number }[] = [];
        const sum = (owner?: string) =>
          open
            .filter((one) => owner === undefined || one.owner === owner || one.owner.startsWith(`${owner}/`))
            .reduce((all, { bytes }) => all + bytes, 0);
        for (const [what, index, bytes] of events) {
          const one = open[index];
          if (what === 'open')
            open.push({
              allocation: budget.open(ownerOf(names[index % 4] ?? '')),
              owner: names[index % 4] ?? '',
              bytes: 0,
            });
          if (what === 'allocate' && one) {
            const [id, user] = one.owner.split('/');
            const fits =
              sum() + bytes <= limits.total &&
              sum(id) + bytes <= limits.perOwner &&
              (user === undefined || sum(one.owner) + bytes <= limits.perUser);
            expect(one.allocation.allocate(bytes) === undefined).toBe(fits);
            if (fits) one.bytes += bytes;
          }
          if (what === 'dispose' && one) {
            one.allocation[Symbol.dispose]();
            one.allocation[Symbol.dispose]();
            open.splice(index, 1);
          }
          expect(budget.bytes).toBe(sum());
        }
        for (const { allocation } of open) allocation[Symbol.dispose]();
        expect(budget.bytes).toBe(0);
      }),
    );
  });
});
