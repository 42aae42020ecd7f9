import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKey } from '../../keys/secret.ts';
import { laneForKey } from './lane.ts';
import type { AdmissionResult } from './lease.ts';
import { Scheduler } from './scheduler.ts';

const lane = { id: 'key', weight: 2, maxConcurrent: Infinity };
const connected = new AbortController().signal;

function createScheduler({ capacity = 1, maxWaiting = 10, timeoutMs = 60_000 } = {}) {
  const scheduler = new Scheduler({ limits: { maxWaiting, maxWaitingPerLane: maxWaiting, timeoutMs } });
  scheduler.setCapacity(capacity);
  return scheduler;
}

function leaseOf(result: AdmissionResult) {
  if (result.outcome !== 'granted') throw new Error(`expected a lease, got ${result.outcome}`);
  return result.lease;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the scheduler', () => {
  it('takes a lease back exactly once', async () => {
    const scheduler = createScheduler({ capacity: 2 });
    const lease = leaseOf(await scheduler.admit({ lane, slots: 2, signal: connected }));
    expect(scheduler.counts).toEqual({ capacity: 2, leased: 2, waiting: 0 });
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    expect(scheduler.counts.leased).toBe(0);
  });

  it('measures how long a request has waited', async () => {
    const scheduler = createScheduler();
    const first = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const second = scheduler.admit({ lane, slots: 1, signal: connected });
    vi.advanceTimersByTime(7);
    first[Symbol.dispose]();
    expect(first.waitedMs).toBe(0);
    expect(leaseOf(await second).waitedMs).toBe(7);
  });

  describe('applies changed limits of a key to requests that wait', () => {
    const { key } = createKey('app', { limits: { concurrent: 1 }, userLimits: { concurrent: 1 } }, 0);
    const raised = { ...key, limits: { concurrent: 3 } };
    const requestOf = (user?: string) => ({ lane: laneForKey(key, user), slots: 1, signal: connected });

    it('at once, up and down', async () => {
      const scheduler = createScheduler({ capacity: 8 });
      const lease = leaseOf(await scheduler.admit(requestOf()));
      for (let n = 0; n < 4; n++) void scheduler.admit(requestOf());
      expect(scheduler.counts).toMatchObject({ leased: 1, waiting: 4 });
      scheduler.updateKey(raised);
      expect(scheduler.counts).toMatchObject({ leased: 3, waiting: 2 });
      scheduler.updateKey(key);
      lease[Symbol.dispose]();
      expect(scheduler.counts).toMatchObject({ leased: 2, waiting: 2 });
      scheduler.updateKey({ ...key, limits: {} });
      expect(scheduler.counts).toMatchObject({ leased: 4, waiting: 0 });
    });

    it('and not those of a request that comes again', async () => {
      const scheduler = createScheduler({ capacity: 8 });
      for (let n = 0; n < 5; n++) void scheduler.admit(requestOf());
      scheduler.updateKey(raised);
      const again = Promise.resolve(scheduler.admit({ ...requestOf(), requeued: true }));
      expect(scheduler.counts).toMatchObject({ leased: 3, waiting: 3 });
      scheduler.updateKey({ ...key, limits: { concurrent: 4 } });
      leaseOf(await again)[Symbol.dispose]();
      expect(scheduler.counts).toMatchObject({ leased: 4, waiting: 1 });
    });

    it('of its users and its lines of batches, and of no other key', () => {
      const scheduler = createScheduler({ capacity: 8 });
      const line = { generated: 0, mayGiveWay: () => true, preempt: () => undefined };
      for (const user of ['ann', 'ann', 'ann', 'bob']) void scheduler.admit(requestOf(user));
      for (let n = 0; n < 2; n++) void scheduler.admit({ ...requestOf(), line });
      const leased = () => [scheduler.counts.leased - scheduler.batches.leased, scheduler.batches.leased];
      expect(leased()).toEqual([1, 1]);
      scheduler.updateKey({ ...raised, id: 'other' });
      expect(leased()).toEqual([1, 1]);
      scheduler.updateKey({ ...key, limits: {} });
      expect(leased()).toEqual([2, 2]);
      scheduler.updateKey({ ...raised, userLimits: { concurrent: 2 } });
      expect(leased()).toEqual([3, 2]);
    });
  });

  it('counts outcomes and waiting requests by the weight of the lane', async () => {
    const scheduler = createScheduler({ maxWaiting: 1 });
    const urgent = { id: 'urgent', weight: 4, maxConcurrent: Infinity };
    const lease = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const waiter = scheduler.admit({ lane: urgent, slots: 1, signal: connected });
    expect([...scheduler.waitingByWeight]).toEqual([[4, 1]]);
    expect(await scheduler.admit({ lane, slots: 1, signal: connected })).toMatchObject({ outcome: 'full' });
    lease[Symbol.dispose]();
    await waiter;
    expect([...scheduler.waitingByWeight]).toEqual([]);
    expect(scheduler.granted).toBe(2);
    expect(scheduler.outcomes.get(2)).toMatchObject({ granted: 1, full: 1, left: 0 });
    expect(scheduler.outcomes.get(4)).toMatchObject({ granted: 1, full: 0 });
  });

  it('grants nothing to a client that has already left', async () => {
    const scheduler = createScheduler();
    expect(await scheduler.admit({ lane, slots: 1, signal: AbortSignal.abort() })).toEqual({
      outcome: 'left',
    });
    expect(scheduler.counts.leased).toBe(0);
  });

  it('takes the lease back even if the client leaves in the moment of the grant', async () => {
    const scheduler = createScheduler();
    const first = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const leaving = new AbortController();
    const second = scheduler.admit({ lane, slots: 1, signal: leaving.signal });
    first[Symbol.dispose]();
    leaving.abort();
    const lease = leaseOf(await second);
    lease[Symbol.dispose]();
    expect(scheduler.counts).toEqual({ capacity: 1, leased: 0, waiting: 0 });
  });

  it('keeps the leases of a backend that disappears, and grants again when it is back', async () => {
    const scheduler = createScheduler();
    const first = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    scheduler.setCapacity(0);
    const second = scheduler.admit({ lane, slots: 1, signal: connected });
    first[Symbol.dispose]();
    expect(scheduler.counts).toEqual({ capacity: 0, leased: 0, waiting: 1 });
    scheduler.setCapacity(1);
    leaseOf(await second);
    expect(scheduler.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
  });

  it('rejects waiting and new requests when it drains', async () => {
    const scheduler = createScheduler();
    const first = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const waiting = scheduler.admit({ lane, slots: 1, signal: connected });
    scheduler.drain();
    expect(await waiting).toEqual({ outcome: 'draining', retryAfterMs: 1000 });
    expect((await scheduler.admit({ lane, slots: 1, signal: connected })).outcome).toBe('draining');
    first[Symbol.dispose]();
    expect(scheduler.counts).toEqual({ capacity: 1, leased: 0, waiting: 0 });
  });

  it('keeps requeued requests when it drains, and accepts more of them', async () => {
    const scheduler = createScheduler();
    const first = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const requeued = scheduler.admit({ lane, slots: 1, signal: connected, requeued: true });
    const newcomer = scheduler.admit({ lane, slots: 1, signal: connected });
    scheduler.drain();
    expect((await newcomer).outcome).toBe('draining');
    const anotherRequeued = scheduler.admit({ lane, slots: 1, signal: connected, requeued: true });
    first[Symbol.dispose]();
    leaseOf(await anotherRequeued)[Symbol.dispose]();
    expect((await requeued).outcome).toBe('granted');
  });

  it('gives each rejected request a later time than the one before', async () => {
    const scheduler = createScheduler({ capacity: 2, maxWaiting: 3 });
    for (let n = 0; n < 5; n++) void scheduler.admit({ lane, slots: 1, signal: connected });
    // No request has ended yet, so each is assumed to take a second, on two slots in parallel.
    expect(await retryTimes(scheduler, 3)).toEqual([750, 1500, 2250]);
  });

  it('names at most a minute, no time twice, and a short time once the queue was empty', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 90_000 }),
        async (capacity, lasts) => {
          vi.useFakeTimers();
          const scheduler = createScheduler({ capacity, maxWaiting: 2, timeoutMs: 10_000_000 });
          const entering = Array.from({ length: capacity + 2 }, () =>
            scheduler.admit({ lane, slots: 1, signal: connected }),
          );
          const overload = await retryTimes(scheduler, 3000);
          expect(Math.max(...overload)).toBeLessThanOrEqual(60_000);
          expect(new Set(overload).size).toBe(overload.length);
          for (const result of entering) {
            vi.advanceTimersByTime(lasts);
            leaseOf(await result)[Symbol.dispose]();
          }
          vi.advanceTimersByTime(1000);
          for (let n = 0; n < capacity + 2; n++) void scheduler.admit({ lane, slots: 1, signal: connected });
          const [first = 0, second = 0] = await retryTimes(scheduler, 2);
          const usual = Math.min((1.5 * lasts * (capacity + 2)) / capacity, 60_000);
          expect(first).toBeLessThanOrEqual(usual);
          expect(second).toBeGreaterThan(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('spreads clients beyond the minute over its second half', async () => {
    const scheduler = createScheduler({ maxWaiting: 0 });
    leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    const times = await retryTimes(scheduler, 4000);
    const [named, spread] = [times.slice(0, 40), times.slice(40)];
    expect(named).toEqual(named.map((_, n) => 1500 * (n + 1)));
    for (let second = 30; second < 60; second++) {
      const among = spread.filter((ms) => Math.floor(ms / 1000) === second).length;
      expect(Math.abs(among - spread.length / 30), `in second ${second}`).toBeLessThan(spread.length / 100);
    }
  });

  it('is not misled by one long response among short ones', async () => {
    const scheduler = createScheduler({ maxWaiting: 0 });
    for (const lasts of [100, 100, 100, 3_600_000, 100]) {
      const lease = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
      vi.advanceTimersByTime(lasts);
      lease[Symbol.dispose]();
    }
    leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    expect(await retryTimes(scheduler, 1)).toEqual([150]);
  });

  it('takes a standstill into account, whatever was usual before', async () => {
    const scheduler = createScheduler({ maxWaiting: 1 });
    const short = leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    short[Symbol.dispose]();
    vi.advanceTimersByTime(3_600_000);
    leaseOf(await scheduler.admit({ lane, slots: 1, signal: connected }));
    void scheduler.admit({ lane, slots: 1, signal: connected });
    expect(await retryTimes(scheduler, 1)).toEqual([0]);
    vi.advanceTimersByTime(20_000);
    expect(await retryTimes(scheduler, 1)).toEqual([30_000]);
  });
});

/** The retry-after times of this many rejected requests, ms. */
async function retryTimes(scheduler: Scheduler, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const result = await scheduler.admit({ lane, slots: 1, signal: connected });
    if (result.outcome !== 'full') throw new Error(`expected a rejection, got ${result.outcome}`);
    times.push(result.retryAfterMs);
  }
  return times;
}

describe('requests whose engine serves no more', () => {
  const ask = (scheduler: Scheduler) =>
    Promise.resolve(scheduler.admit({ lane, slots: 1, signal: connected }));

  it('are moved in their order, and keep the time since when they have waited', async () => {
    const scheduler = createScheduler();
    using _running = leaseOf(await ask(scheduler));
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      const result = await ask(scheduler);
      order.push(n);
      return result;
    });
    const since = scheduler.oldestSince;
    scheduler.moveAll();
    expect(await waiting[0]).toEqual({ outcome: 'moved', since });
    await Promise.all(waiting);
    // The last first: each goes to the head of its lane at the other engine.
    expect(order).toEqual([3, 2, 1]);
    expect([scheduler.counts.waiting, scheduler.oldestSince]).toEqual([0, undefined]);
    expect(scheduler.outcomes.get(lane.weight)?.granted).toBe(1);
  });

  it('are rejected only while the engine is lost', async () => {
    const scheduler = createScheduler();
    scheduler.close('lost');
    expect(await ask(scheduler)).toMatchObject({ outcome: 'lost' });
    scheduler.reopen();
    expect(await ask(scheduler)).toMatchObject({ outcome: 'granted' });
  });
});
