import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnqueueResult, FairQueue, type Grant } from './fair-queue.ts';
import type { LaneSettings, Waiter } from './lane.ts';

const roomy = { maxWaiting: 1000, maxWaitingPerLane: 1000 };

function terms(id: string, more: Partial<LaneSettings> = {}): LaneSettings {
  return { id, weight: 2, maxConcurrent: Infinity, ...more };
}

const waiter = (id: string, weight = 1, more?: Partial<LaneSettings>): Waiter => ({
  slots: weight,
  lane: terms(id, more),
});

function open(capacity: number, bounds = roomy): FairQueue<Waiter> {
  const lanes = new FairQueue<Waiter>(bounds);
  lanes.setCapacity(capacity);
  return lanes;
}

/** Lets everybody in who waits, one slot at a time, and tells the order. */
function serveAll(lanes: FairQueue<Waiter>, running: Grant<Waiter>): string[] {
  const order: string[] = [];
  const giveBack = (grant: Grant<Waiter>) => {
    for (const next of lanes.release(grant)) {
      order.push(next.waiter.lane.id);
      giveBack(next);
    }
  };
  giveBack(running);
  return order;
}

function grantOf(entered: EnqueueResult<Waiter>): Grant<Waiter> {
  if (entered.entry !== 'granted') throw new Error(`expected a grant, not: ${entered.entry}`);
  return entered.grant;
}

function firstOf([grant]: readonly Grant<Waiter>[]): Grant<Waiter> {
  if (!grant) throw new Error('expected a grant');
  return grant;
}

describe('lanes', () => {
  it('delay a lone waiter by one turn at most, however many others wait', () => {
    const lanes = open(1);
    const running = grantOf(lanes.enqueue(waiter('crowd')));
    for (let i = 0; i < 500; i++) lanes.enqueue(waiter('crowd'));
    lanes.enqueue(waiter('lone'));
    expect(serveAll(lanes, running).indexOf('lone')).toBeLessThanOrEqual(1);
  });

  it('share by weight, within a tenth over a thousand grants', () => {
    const lanes = open(1, { maxWaiting: 9000, maxWaitingPerLane: 9000 });
    const running = grantOf(lanes.enqueue(waiter('other')));
    const shares = { high: 4, normal: 2, low: 1 };
    for (const [id, share] of Object.entries(shares)) {
      for (let i = 0; i < 1000; i++) lanes.enqueue(waiter(id, 1, { weight: share }));
    }
    const order = serveAll(lanes, running).slice(0, 1000);
    for (const [id, share] of Object.entries(shares)) {
      const expected = (1000 * share) / 7;
      const actual = order.filter((served) => served === id).length;
      expect(Math.abs(actual - expected) / expected, id).toBeLessThan(0.1);
    }
  });

  it('let a request beyond the limit of its lane wait, and others pass it', () => {
    const lanes = open(4);
    const first = grantOf(lanes.enqueue(waiter('one', 1, { maxConcurrent: 1 })));
    const second = waiter('one', 1, { maxConcurrent: 1 });
    expect(lanes.enqueue(second).entry).toBe('waits');
    expect(lanes.enqueue(waiter('two')).entry).toBe('granted');
    expect(lanes.release(first)).toEqual([{ waiter: second, slots: 1 }]);
  });

  it('are bounded in all and each', () => {
    const lanes = open(1, { maxWaiting: 3, maxWaitingPerLane: 2 });
    const enter = (id: string) => lanes.enqueue(waiter(id)).entry;
    expect(['a', 'a', 'a', 'a', 'b', 'b'].map(enter)).toEqual([
      'granted',
      'waits',
      'waits',
      'full',
      'waits',
      'full',
    ]);
  });

  it('hold all while there is no backend, and grant in turn once there is', () => {
    const lanes = open(0);
    const [first, second, other] = [waiter('a'), waiter('a'), waiter('b')];
    for (const one of [first, second, other]) expect(lanes.enqueue(one).entry).toBe('waits');
    expect(lanes.setCapacity(2).map(({ waiter }) => waiter)).toEqual([first, other]);
  });

  it('let nobody overtake a heavy request whose turn it is', () => {
    const lanes = open(4);
    const running = grantOf(lanes.enqueue(waiter('a', 3)));
    const heavy = waiter('b', 4);
    const light = waiter('c', 1);
    lanes.enqueue(heavy);
    lanes.enqueue(light);
    expect(lanes.release(running)).toEqual([{ waiter: heavy, slots: 4 }]);
  });

  it('starve no lane, though two others come again whenever they are served', () => {
    const lanes = open(1);
    let running = grantOf(lanes.enqueue(waiter('hog')));
    for (const id of ['hog', 'a', 'b']) lanes.enqueue(waiter(id));
    const order: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const finished = running.waiter.lane.id;
      running = firstOf(lanes.release(running));
      order.push(running.waiter.lane.id);
      if (finished !== 'hog') lanes.enqueue(waiter(finished));
    }
    expect(order.slice(0, 4)).toContain('hog');
  });

  it('let the head of a lane wait for the due turns of the others at most', () => {
    const shares = { a: 4, b: 2, c: 1, d: 1 };
    const due = (own: number, other: number) => Math.ceil(other / own) + 1;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 50, maxLength: 300 }),
        (arrivals) => {
          const lanes = open(1);
          let running = grantOf(lanes.enqueue(waiter('a', 1, { weight: 4 })));
          const turnsWaited = new Map<string, number>();
          for (const id of arrivals as (keyof typeof shares)[]) {
            lanes.enqueue(waiter(id, 1, { weight: shares[id] }));
            const [next] = lanes.release(running);
            if (!next) throw new Error('somebody waits, so somebody is granted');
            running = next;
            const served = next.waiter.lane.id;
            for (const { lane: terms } of lanes.waiting) {
              if (terms.id !== served) turnsWaited.set(terms.id, (turnsWaited.get(terms.id) ?? 0) + 1);
            }
            turnsWaited.delete(served);
            for (const [lane, waited] of turnsWaited) {
              const inLane = lanes.waiting.filter(({ lane: terms }) => terms.id === lane).length;
              const own = shares[lane as keyof typeof shares];
              const most = Object.values(shares).reduce((sum, other) => sum + due(own, other), 0);
              expect(waited / inLane).toBeLessThanOrEqual(most);
            }
          }
        },
      ),
    );
  });

  it('let one who comes again go first in its lane, and find room in a full one', () => {
    const lanes = open(1, { maxWaiting: 1, maxWaitingPerLane: 1 });
    const running = grantOf(lanes.enqueue(waiter('a')));
    const [patient, again] = [waiter('a'), { ...waiter('a'), requeued: true }];
    lanes.enqueue(patient);
    expect(lanes.enqueue(again).entry).toBe('waits');
    expect(lanes.release(running)[0]?.waiter).toBe(again);
  });

  it('tell each its place', () => {
    const lanes = open(1);
    const running = grantOf(lanes.enqueue(waiter('a')));
    const crowd = Array.from({ length: 3 }, () => waiter('a'));
    const lone = waiter('b');
    for (const one of [...crowd, lone]) lanes.enqueue(one);
    const told = new Map([...crowd, lone].map((one) => [one, lanes.positionOf(one)]));
    const served: Waiter[] = [];
    let next: readonly Grant<Waiter>[] = lanes.release(running);
    while (next[0]) {
      served.push(next[0].waiter);
      next = lanes.release(next[0]);
    }
    expect(served.map((one) => told.get(one))).toEqual([1, 2, 3, 4]);
    expect(lanes.positionOf(lone)).toBe(0);
  });

  it('tell one its place without those who cannot be served before it', () => {
    const lanes = open(2);
    const bound = { maxConcurrent: 1 };
    const runs = grantOf(lanes.enqueue(waiter('bound', 1, bound)));
    lanes.enqueue(waiter('other'));
    const held = Array.from({ length: 5 }, () => waiter('bound', 1, bound));
    const lone = waiter('lone');
    for (const one of [...held, lone]) lanes.enqueue(one);
    expect(lanes.positionOf(lone)).toBe(1);
    const [next] = lanes.release(runs);
    expect(next?.waiter).toBe(lone);
    expect(held.map((one) => lanes.positionOf(one))).toEqual([1, 2, 3, 4, 5]);
  });

  it('reckon a batch by its sequences, more than there are slots too', () => {
    const lanes = open(2);
    const running = grantOf(lanes.enqueue(waiter('batches', 64)));
    expect(running.slots).toBe(2);
    const batch = waiter('batches', 64);
    const singles = Array.from({ length: 40 }, () => waiter('singles'));
    for (const one of [batch, ...singles]) lanes.enqueue(one);
    expect(lanes.positionOf(batch)).toBe(41);
    expect(serveAll(lanes, running).indexOf('batches')).toBe(40);
  });

  it('shut nobody out who asks for more than anybody can have', () => {
    const lanes = open(1);
    const running = grantOf(lanes.enqueue(waiter('greedy', 2 ** 31)));
    lanes.enqueue(waiter('greedy'));
    for (let n = 0; n < 1500; n++) lanes.enqueue(waiter('other'));
    expect(serveAll(lanes, running)).toContain('greedy');
  });

  it('find room for one who comes again, though nobody may wait', () => {
    const lanes = open(0, { maxWaiting: 0, maxWaitingPerLane: 0 });
    expect(lanes.enqueue(waiter('a')).entry).toBe('full');
    const again = { ...waiter('a'), requeued: true };
    expect(lanes.enqueue(again).entry).toBe('waits');
    expect(lanes.setCapacity(1).map(({ waiter }) => waiter)).toEqual([again]);
  });

  it.each([
    ['low', 1],
    ['normal', 2],
    ['high', 4],
  ])('have room for one of a third key, of priority %s, though two others fill the line', (_, share) => {
    const lanes = open(1, { maxWaiting: 10, maxWaitingPerLane: 10 });
    const running = grantOf(lanes.enqueue(waiter('a')));
    const crowd = Array.from({ length: 10 }, (_, n) => waiter(n % 2 === 0 ? 'a' : 'b'));
    for (const one of crowd) expect(lanes.enqueue(one).entry).toBe('waits');
    expect(lanes.enqueue(waiter('a')).entry).toBe('full');
    const third = waiter('third', 1, { weight: share });
    expect(lanes.enqueue(third)).toEqual({ entry: 'waits', displaced: crowd[8] });
    expect(lanes.counts.waiting).toBe(10);
    expect(serveAll(lanes, running).indexOf('third')).toBeLessThanOrEqual(2);
  });

  it('share a full line by what they are due, and let one key have all of it otherwise', () => {
    const lanes = open(0, { maxWaiting: 12, maxWaitingPerLane: 12 });
    const lengths = () =>
      ['low', 'normal', 'high'].map(
        (id) => lanes.waiting.filter(({ lane: terms }) => terms.id === id).length,
      );
    const shares = { low: 1, normal: 2, high: 4 };
    const enter = (id: keyof typeof shares) => lanes.enqueue(waiter(id, 1, { weight: shares[id] })).entry;
    for (let n = 0; n < 12; n++) expect(enter('low')).toBe('waits');
    expect([enter('low'), lengths()]).toEqual(['full', [12, 0, 0]]);
    for (let n = 0; n < 50; n++) enter('normal');
    expect(lengths()).toEqual([4, 8, 0]);
    for (let n = 0; n < 50; n++) enter('high');
    expect(lengths()).toEqual([2, 4, 6]);
  });

  it('displace nobody whom the engine’s end has put back into the line', () => {
    const lanes = open(0, { maxWaiting: 3, maxWaitingPerLane: 3 });
    const again = Array.from({ length: 3 }, () => ({ ...waiter('a'), requeued: true }));
    for (const one of again) lanes.enqueue(one);
    expect(lanes.enqueue(waiter('b')).entry).toBe('full');
    expect(lanes.waiting).toEqual(again.toReversed());
  });

  it('keep every promise, whatever happens', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 300 }), replay), { numRuns: 400 });
  });
});

const lane = fc.constantFrom(
  terms('a'),
  terms('b', { weight: 4 }),
  terms('c', { weight: 1 }),
  terms('d', { maxConcurrent: 1 }),
);
const anyEvent = fc.oneof(
  fc.record({ kind: fc.constant('enter' as const), weight: fc.integer({ min: 1, max: 5 }), terms: lane }),
  fc.record({ kind: fc.constant('leave' as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant('give back' as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant('resize' as const), capacity: fc.integer({ min: 0, max: 6 }) }),
);
type Event = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

/** Replays a history beside the plainest possible book-keeping, and compares after each event. */
function replay(events: readonly Event[]): void {
  const bounds = { maxWaiting: 6, maxWaitingPerLane: 4 };
  const lanes = open(0, bounds);
  let waiting: Waiter[] = [];
  let running: Grant<Waiter>[] = [];
  let capacity = 0;

  const learn = (grants: readonly Grant<Waiter>[]) => {
    for (const grant of grants) {
      expect(waiting, 'granted to one who waits, once').toContain(grant.waiter);
      const sameLane = waiting.filter((one) => one.lane.id === grant.waiter.lane.id);
      expect(sameLane[0], 'first come, first served').toBe(grant.waiter);
      waiting = waiting.filter((one) => one !== grant.waiter);
      running.push(grant);
    }
  };

  for (const event of events) {
    if (event.kind === 'enter') {
      const one: Waiter = { slots: event.weight, lane: event.terms };
      const entered = lanes.enqueue(one);
      if (entered.entry !== 'full') waiting.push(one);
      if (entered.entry === 'granted') learn([entered.grant]);
      if (entered.entry === 'waits' && entered.displaced) {
        const { displaced } = entered;
        expect(waiting.length, 'displaced only where it is full').toBe(bounds.maxWaiting + 1);
        expect(displaced.lane.id, 'displaced by another').not.toBe(one.lane.id);
        waiting = waiting.filter((other) => other !== displaced);
      }
      if (entered.entry === 'full') {
        const mine = waiting.filter(({ lane: { id } }) => id === one.lane.id);
        const isFull = waiting.length === bounds.maxWaiting || mine.length === bounds.maxWaitingPerLane;
        expect(isFull, 'refused only where it is full').toBe(true);
      }
    } else if (event.kind === 'leave') {
      const one = waiting[event.index];
      if (!one) continue;
      waiting = waiting.filter((other) => other !== one);
      const [hasLeft, grants] = lanes.remove(one);
      expect(hasLeft).toBe(true);
      learn(grants);
    } else if (event.kind === 'give back') {
      const grant = running[event.index];
      if (!grant) continue;
      running = running.filter((other) => other !== grant);
      learn(lanes.release(grant));
    } else {
      capacity = event.capacity;
      learn(lanes.setCapacity(capacity));
    }
    const leased = running.reduce((sum, { slots }) => sum + slots, 0);
    expect(lanes.counts).toEqual({ capacity, leased, waiting: waiting.length });
    expect(new Set(lanes.waiting)).toEqual(new Set(waiting));
    const idleBackend = capacity > 0 && leased === 0;
    if (idleBackend) expect(waiting, 'an idle backend lets nobody wait').toEqual([]);
  }
}
