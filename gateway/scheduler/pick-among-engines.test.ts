import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waiter } from '../../test/harness/queue-requests.ts';
import { isAtLimit, type Lane } from './lane.ts';
import { pickAmongEngines } from './pick-among-engines.ts';
import type { Waiter } from './waiter.ts';

interface LaneOf {
  readonly id: string;
  readonly waiting?: number;
  readonly slots?: number;
  readonly running?: number;
  readonly served?: number;
  readonly limit?: number;
}

function lane({
  id,
  waiting = 1,
  slots = 1,
  running = 0,
  served = 0,
  limit = Infinity,
}: LaneOf): Lane<Waiter> {
  const requests = Array.from({ length: waiting }, () => waiter(id, slots, { maxConcurrent: limit }));
  const account = {
    turns: 0,
    running,
    maxConcurrent: limit,
    runningOfUsers: undefined,
    queues: new Set<never>(),
  };
  const { lane: settings } = waiter(id, slots, { maxConcurrent: limit });
  return { id, settings, waiting: requests, running, served, account, charged: 0, users: undefined };
}

type Lanes = readonly Lane<Waiter>[];

function pick(own: Lanes, peers: readonly Lanes[] = [], fits = (_: Waiter) => true) {
  return pickAmongEngines({ own, peers, served: ({ served }) => served, fits });
}

describe('a free slot of an engine', () => {
  it('goes to a key that holds none, wherever it waits', () => {
    const [busy, newcomer] = [lane({ id: 'busy', running: 1 }), lane({ id: 'newcomer' })];
    expect(pick([busy], [[newcomer]])).toBe(newcomer);
    expect(pick([busy, newcomer], [[lane({ id: 'other' })]])).toBe(newcomer);
  });

  it('stays in its own line among keys that hold some, and among keys that hold none', () => {
    for (const running of [0, 2]) {
      const [own, other] = [lane({ id: 'own', running }), lane({ id: 'other', running })];
      expect(pick([own], [[other]])).toBe(own);
    }
  });

  it('goes to no key that has had more than its share', () => {
    const [busy, ahead] = [lane({ id: 'busy', running: 1 }), lane({ id: 'ahead', served: 1 })];
    expect(pick([busy], [[ahead]])).toBe(busy);
  });

  it('helps the longest of the other lines if nobody waits here', () => {
    const long = lane({ id: 'long', running: 1, waiting: 3 });
    const short = lane({ id: 'short', running: 1, waiting: 2 });
    expect(pick([], [[short], [long]])).toBe(long);
  });

  it('goes to no request elsewhere that needs more slots than are free', () => {
    const [busy, large] = [lane({ id: 'busy', running: 1 }), lane({ id: 'large', slots: 2 })];
    const fits = ({ slots }: Waiter) => slots === 1;
    expect(pick([busy], [[large]], fits)).toBe(busy);
    expect(pick([], [[large]], fits)).toBeUndefined();
  });

  it('is left free only if no request may have it, and never goes past a key that holds none', () => {
    const lanes = fc.array(
      fc
        .record({
          id: fc.constantFrom('a', 'b', 'c', 'd'),
          waiting: fc.nat(2),
          running: fc.nat(2),
          served: fc.nat(1),
          limit: fc.constantFrom(1, 2, Infinity),
        })
        .map(lane),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(lanes, fc.array(lanes, { maxLength: 2 }), (here, elsewhere) => {
        const picked = pick(here, elsewhere);
        const mayHave = [here, ...elsewhere].flat().filter((it) => it.waiting.length > 0 && !isAtLimit(it));
        if (picked === undefined) return void expect(mayHave).toEqual([]);
        expect(mayHave).toContain(picked);
        const least = (lanes: Lanes) => Math.min(...lanes.map(({ served }) => served));
        const mayHaveHere = mayHave.filter((it) => here.includes(it));
        const holdsNone = (it: Lane<Waiter>) => it.account?.running === 0;
        if (mayHave.some((it) => holdsNone(it) && it.served <= least(mayHaveHere)))
          expect(holdsNone(picked)).toBe(true);
        else if (mayHaveHere.length > 0) expect(here).toContain(picked);
      }),
    );
  });
});
