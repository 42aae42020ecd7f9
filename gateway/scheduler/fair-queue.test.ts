import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstOf,
  grantOf,
  laneSettings,
  roomy,
  serveAll,
  waiter,
} from '../../test/harness/queue-requests.ts';
import { FairQueue, type Grant } from './fair-queue.ts';
import type { Waiter } from './waiter.ts';

function createQueue(capacity: number, limits = roomy): FairQueue<Waiter> {
  const queue = new FairQueue<Waiter>(limits);
  queue.setCapacity(capacity);
  return queue;
}

describe('the fair queue', () => {
  it('delays a single request by at most one turn, however many requests another lane has', () => {
    const queue = createQueue(1);
    const running = grantOf(queue.enqueue(waiter('many')));
    for (let i = 0; i < 500; i++) queue.enqueue(waiter('many'));
    queue.enqueue(waiter('lone'));
    expect(serveAll(queue, running).indexOf('lone')).toBeLessThanOrEqual(1);
  });

  it('shares slots by weight, within a tenth over a thousand grants', () => {
    const queue = createQueue(1, { maxWaiting: 9000, maxWaitingPerLane: 9000 });
    const running = grantOf(queue.enqueue(waiter('other')));
    const shares = { high: 4, normal: 2, low: 1 };
    for (const [id, share] of Object.entries(shares)) {
      for (let i = 0; i < 1000; i++) queue.enqueue(waiter(id, 1, { weight: share }));
    }
    const order = serveAll(queue, running).slice(0, 1000);
    for (const [id, share] of Object.entries(shares)) {
      const expected = (1000 * share) / 7;
      const actual = order.filter((served) => served === id).length;
      expect(Math.abs(actual - expected) / expected, id).toBeLessThan(0.1);
    }
  });

  it('lets other queue overtake a lane that is at its own limit', () => {
    const queue = createQueue(4);
    const first = grantOf(queue.enqueue(waiter('one', 1, { maxConcurrent: 1 })));
    const second = waiter('one', 1, { maxConcurrent: 1 });
    expect(queue.enqueue(second).outcome).toBe('queued');
    expect(queue.enqueue(waiter('two')).outcome).toBe('granted');
    expect(queue.release(first)).toEqual([{ waiter: second, slots: 1 }]);
  });

  it('limits the waiting requests in all and in each lane', () => {
    const queue = createQueue(1, { maxWaiting: 3, maxWaitingPerLane: 2 });
    const enter = (id: string) => queue.enqueue(waiter(id)).outcome;
    expect(['a', 'a', 'a', 'a', 'b', 'b'].map(enter)).toEqual([
      'granted',
      'queued',
      'queued',
      'full',
      'queued',
      'full',
    ]);
  });

  it('queues all requests while there is no backend, and grants in turn once there is', () => {
    const queue = createQueue(0);
    const [first, second, other] = [waiter('a'), waiter('a'), waiter('b')];
    for (const one of [first, second, other]) expect(queue.enqueue(one).outcome).toBe('queued');
    expect(queue.setCapacity(2).map(({ waiter }) => waiter)).toEqual([first, other]);
  });

  it('lets no request overtake one that needs many slots and whose turn it is', () => {
    const queue = createQueue(4);
    const running = grantOf(queue.enqueue(waiter('a', 3)));
    const large = waiter('b', 4);
    const small = waiter('c', 1);
    queue.enqueue(large);
    queue.enqueue(small);
    expect(queue.release(running)).toEqual([{ waiter: large, slots: 4 }]);
  });

  it('starves no lane, although two others come again whenever they are served', () => {
    const queue = createQueue(1);
    let running = grantOf(queue.enqueue(waiter('hog')));
    for (const id of ['hog', 'a', 'b']) queue.enqueue(waiter(id));
    const order: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const finished = running.waiter.lane.id;
      running = firstOf(queue.release(running));
      order.push(running.waiter.lane.id);
      if (finished !== 'hog') queue.enqueue(waiter(finished));
    }
    expect(order.slice(0, 4)).toContain('hog');
  });

  it('lets the first request of a lane wait no longer than the turns that others are due', () => {
    const shares = { a: 4, b: 2, c: 1, d: 1 };
    const due = (own: number, other: number) => Math.ceil(other / own) + 1;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 50, maxLength: 300 }),
        (arrivals) => {
          const queue = createQueue(1);
          let running = grantOf(queue.enqueue(waiter('a', 1, { weight: 4 })));
          const turnsWaited = new Map<string, number>();
          for (const id of arrivals as (keyof typeof shares)[]) {
            queue.enqueue(waiter(id, 1, { weight: shares[id] }));
            const [next] = queue.release(running);
            if (!next) throw new Error('a request waits, so one is granted');
            running = next;
            const served = next.waiter.lane.id;
            for (const { lane } of queue.waiting) {
              if (lane.id !== served) turnsWaited.set(lane.id, (turnsWaited.get(lane.id) ?? 0) + 1);
            }
            turnsWaited.delete(served);
            for (const [id, waited] of turnsWaited) {
              const inLane = queue.waiting.filter(({ lane }) => lane.id === id).length;
              const own = shares[id as keyof typeof shares];
              const most = Object.values(shares).reduce((sum, other) => sum + due(own, other), 0);
              expect(waited / inLane).toBeLessThanOrEqual(most);
            }
          }
        },
      ),
    );
  });

  it('puts a requeued request first in its lane, even if the queue is full', () => {
    const queue = createQueue(1, { maxWaiting: 1, maxWaitingPerLane: 1 });
    const running = grantOf(queue.enqueue(waiter('a')));
    const [patient, requeued] = [waiter('a'), { ...waiter('a'), requeued: true }];
    queue.enqueue(patient);
    expect(queue.enqueue(requeued).outcome).toBe('queued');
    expect(queue.release(running)[0]?.waiter).toBe(requeued);
  });

  it('serves all that a requeued request makes room for when it goes before a large one', () => {
    const queue = createQueue(3);
    const running = grantOf(queue.enqueue(waiter('a')));
    const second = grantOf(queue.enqueue(waiter('b')));
    queue.enqueue(waiter('a', 3));
    const small = waiter('b');
    queue.enqueue(small);
    expect(queue.release(running)).toEqual([]);
    const requeued = { ...waiter('a'), requeued: true };
    expect(queue.enqueue(requeued)).toEqual({
      outcome: 'granted',
      grant: { waiter: requeued, slots: 1 },
      further: [{ waiter: small, slots: 1 }],
    });
    expect(queue.release(second)).toEqual([]);
  });

  it('reports the position of each request', () => {
    const queue = createQueue(1);
    const running = grantOf(queue.enqueue(waiter('a')));
    const many = Array.from({ length: 3 }, () => waiter('a'));
    const lone = waiter('b');
    for (const one of [...many, lone]) queue.enqueue(one);
    const reported = new Map([...many, lone].map((one) => [one, queue.positionOf(one)]));
    const served: Waiter[] = [];
    let next: readonly Grant<Waiter>[] = queue.release(running);
    while (next[0]) {
      served.push(next[0].waiter);
      next = queue.release(next[0]);
    }
    expect(served.map((one) => reported.get(one))).toEqual([1, 2, 3, 4]);
    expect(queue.positionOf(lone)).toBe(0);
  });

  it('leaves requests of queue at their limit out of the position of others', () => {
    const queue = createQueue(2);
    const bound = { maxConcurrent: 1 };
    const runs = grantOf(queue.enqueue(waiter('bound', 1, bound)));
    queue.enqueue(waiter('other'));
    const held = Array.from({ length: 5 }, () => waiter('bound', 1, bound));
    const lone = waiter('lone');
    for (const one of [...held, lone]) queue.enqueue(one);
    expect(queue.positionOf(lone)).toBe(1);
    const [next] = queue.release(runs);
    expect(next?.waiter).toBe(lone);
    expect(held.map((one) => queue.positionOf(one))).toEqual([1, 2, 3, 4, 5]);
  });

  it('charges a batch for all its sequences, even for more than there are slots', () => {
    const queue = createQueue(2);
    const running = grantOf(queue.enqueue(waiter('batches', 64)));
    expect(running.slots).toBe(2);
    const batch = waiter('batches', 64);
    const singles = Array.from({ length: 40 }, () => waiter('singles'));
    for (const one of [batch, ...singles]) queue.enqueue(one);
    expect(queue.positionOf(batch)).toBe(41);
    expect(serveAll(queue, running).indexOf('batches')).toBe(40);
  });

  it('does not lock out a key that has asked for more than anyone can have', () => {
    const queue = createQueue(1);
    const running = grantOf(queue.enqueue(waiter('greedy', 2 ** 31)));
    queue.enqueue(waiter('greedy'));
    for (let n = 0; n < 1500; n++) queue.enqueue(waiter('other'));
    expect(serveAll(queue, running)).toContain('greedy');
  });

  it('queues a requeued request even if no request may wait', () => {
    const queue = createQueue(0, { maxWaiting: 0, maxWaitingPerLane: 0 });
    expect(queue.enqueue(waiter('a')).outcome).toBe('full');
    const requeued = { ...waiter('a'), requeued: true };
    expect(queue.enqueue(requeued).outcome).toBe('queued');
    expect(queue.setCapacity(1).map(({ waiter }) => waiter)).toEqual([requeued]);
  });

  it.each([
    ['low', 1],
    ['normal', 2],
    ['high', 4],
  ])('has room for a third key of priority %s, although two others fill the queue', (_, share) => {
    const queue = createQueue(1, { maxWaiting: 10, maxWaitingPerLane: 10 });
    const running = grantOf(queue.enqueue(waiter('a')));
    const many = Array.from({ length: 10 }, (_, n) => waiter(n % 2 === 0 ? 'a' : 'b'));
    for (const one of many) expect(queue.enqueue(one).outcome).toBe('queued');
    expect(queue.enqueue(waiter('a')).outcome).toBe('full');
    const third = waiter('third', 1, { weight: share });
    expect(queue.enqueue(third)).toEqual({ outcome: 'queued', evicted: many[8] });
    expect(queue.counts.waiting).toBe(10);
    expect(serveAll(queue, running).indexOf('third')).toBeLessThanOrEqual(2);
  });

  it('divides a full queue by weight, and lets one key fill it while no other wants a place', () => {
    const queue = createQueue(0, { maxWaiting: 12, maxWaitingPerLane: 12 });
    const lengths = () =>
      ['low', 'normal', 'high'].map((id) => queue.waiting.filter(({ lane }) => lane.id === id).length);
    const shares = { low: 1, normal: 2, high: 4 };
    const enter = (id: keyof typeof shares) => queue.enqueue(waiter(id, 1, { weight: shares[id] })).outcome;
    for (let n = 0; n < 12; n++) expect(enter('low')).toBe('queued');
    expect([enter('low'), lengths()]).toEqual(['full', [12, 0, 0]]);
    for (let n = 0; n < 50; n++) enter('normal');
    expect(lengths()).toEqual([4, 8, 0]);
    for (let n = 0; n < 50; n++) enter('high');
    expect(lengths()).toEqual([2, 4, 6]);
  });

  it('evicts no requeued request', () => {
    const queue = createQueue(0, { maxWaiting: 3, maxWaitingPerLane: 3 });
    const requeued = Array.from({ length: 3 }, () => ({ ...waiter('a'), requeued: true }));
    for (const one of requeued) queue.enqueue(one);
    expect(queue.enqueue(waiter('b')).outcome).toBe('full');
    expect(queue.waiting).toEqual(requeued.toReversed());
  });

  it('keeps its invariants over any sequence of events', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 300 }), replay), { numRuns: 400 });
  });
});

const lane = fc.constantFrom(
  laneSettings('a'),
  laneSettings('b', { weight: 4 }),
  laneSettings('c', { weight: 1 }),
  laneSettings('d', { maxConcurrent: 1 }),
);
const anyEvent = fc.oneof(
  fc.record({ kind: fc.constant('enqueue' as const), slots: fc.integer({ min: 1, max: 5 }), settings: lane }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant('release' as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant('set capacity' as const), capacity: fc.integer({ min: 0, max: 6 }) }),
);
type Event = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

/** Replays a history next to the simplest possible model, and compares after each event. */
function replay(events: readonly Event[]): void {
  const limits = { maxWaiting: 6, maxWaitingPerLane: 4 };
  const queue = createQueue(0, limits);
  let waiting: Waiter[] = [];
  let running: Grant<Waiter>[] = [];
  let capacity = 0;

  const applyGrants = (grants: readonly Grant<Waiter>[]) => {
    for (const grant of grants) {
      expect(waiting, 'grants a waiting request, once').toContain(grant.waiter);
      const sameLane = waiting.filter((one) => one.lane.id === grant.waiter.lane.id);
      expect(sameLane[0], 'first come, first served').toBe(grant.waiter);
      waiting = waiting.filter((one) => one !== grant.waiter);
      running.push(grant);
    }
  };

  for (const event of events) {
    if (event.kind === 'enqueue') {
      const one: Waiter = { slots: event.slots, lane: event.settings };
      const entered = queue.enqueue(one);
      if (entered.outcome !== 'full') waiting.push(one);
      if (entered.outcome === 'granted') applyGrants([entered.grant]);
      if (entered.outcome === 'queued' && entered.evicted) {
        const { evicted } = entered;
        expect(waiting.length, 'evicts only from a full queue').toBe(limits.maxWaiting + 1);
        expect(evicted.lane.id, 'is evicted by another lane').not.toBe(one.lane.id);
        waiting = waiting.filter((other) => other !== evicted);
      }
      if (entered.outcome === 'full') {
        const mine = waiting.filter(({ lane: { id } }) => id === one.lane.id);
        const isFull = waiting.length === limits.maxWaiting || mine.length === limits.maxWaitingPerLane;
        expect(isFull, 'rejects only when it is full').toBe(true);
      }
    } else if (event.kind === 'remove') {
      const one = waiting[event.index];
      if (!one) continue;
      waiting = waiting.filter((other) => other !== one);
      const [wasQueued, grants] = queue.remove(one);
      expect(wasQueued).toBe(true);
      applyGrants(grants);
    } else if (event.kind === 'release') {
      const grant = running[event.index];
      if (!grant) continue;
      running = running.filter((other) => other !== grant);
      applyGrants(queue.release(grant));
    } else {
      capacity = event.capacity;
      applyGrants(queue.setCapacity(capacity));
    }
    const leased = running.reduce((sum, { slots }) => sum + slots, 0);
    expect(queue.counts).toEqual({ capacity, leased, waiting: waiting.length });
    expect(new Set(queue.waiting)).toEqual(new Set(waiting));
    const idleBackend = capacity > 0 && leased === 0;
    if (idleBackend) expect(waiting, 'no request waits for an idle backend').toEqual([]);
  }
}
