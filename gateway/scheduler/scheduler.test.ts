import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AdmissionResult, Scheduler } from './scheduler.ts';

const lane = { id: 'key', weight: 2, maxConcurrent: Infinity };
const staying = new AbortController().signal;

function open({ capacity = 1, maxWaiting = 10, timeoutMs = 60_000 } = {}) {
  const admission = new Scheduler({ maxWaiting, maxWaitingPerLane: maxWaiting, timeoutMs });
  admission.setCapacity(capacity);
  return admission;
}

function leaseOf(admitted: AdmissionResult) {
  if (admitted.outcome !== 'granted') throw new Error(`expected a lease, got ${admitted.outcome}`);
  return admitted.lease;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Admission', () => {
  it('gives a lease back exactly once', async () => {
    const admission = open({ capacity: 2 });
    const lease = leaseOf(await admission.admit({ lane, slots: 2, signal: staying }));
    expect(admission.counts).toEqual({ capacity: 2, leased: 2, waiting: 0 });
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    expect(admission.counts.leased).toBe(0);
  });

  it('tells how long one has waited', async () => {
    const admission = open();
    const first = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const second = admission.admit({ lane, slots: 1, signal: staying });
    vi.advanceTimersByTime(7);
    first[Symbol.dispose]();
    expect(first.waitedMs).toBe(0);
    expect(leaseOf(await second).waitedMs).toBe(7);
  });

  it('counts how admissions ended, and who waits, by the share of the lane', async () => {
    const admission = open({ maxWaiting: 1 });
    const urgent = { id: 'urgent', weight: 4, maxConcurrent: Infinity };
    const lease = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const waiter = admission.admit({ lane: urgent, slots: 1, signal: staying });
    expect([...admission.waitingByWeight]).toEqual([[4, 1]]);
    expect(await admission.admit({ lane, slots: 1, signal: staying })).toMatchObject({ outcome: 'full' });
    lease[Symbol.dispose]();
    await waiter;
    expect([...admission.waitingByWeight]).toEqual([]);
    expect(admission.outcomes.granted).toBe(2);
    expect(admission.outcomes.byWeight.get(2)).toMatchObject({ granted: 1, full: 1, left: 0 });
    expect(admission.outcomes.byWeight.get(4)).toMatchObject({ granted: 1, full: 0 });
  });

  it('lets the one who left before it came in take nothing', async () => {
    const admission = open();
    expect(await admission.admit({ lane, slots: 1, signal: AbortSignal.abort() })).toEqual({
      outcome: 'left',
    });
    expect(admission.counts.leased).toBe(0);
  });

  it('gives the lease back though its owner leaves in the moment of the grant', async () => {
    const admission = open();
    const first = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const leaving = new AbortController();
    const second = admission.admit({ lane, slots: 1, signal: leaving.signal });
    first[Symbol.dispose]();
    leaving.abort();
    const lease = leaseOf(await second);
    lease[Symbol.dispose]();
    expect(admission.counts).toEqual({ capacity: 1, leased: 0, waiting: 0 });
  });

  it('keeps the leases of a backend that goes away, and grants anew when it is back', async () => {
    const admission = open();
    const first = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    admission.setCapacity(0);
    const second = admission.admit({ lane, slots: 1, signal: staying });
    first[Symbol.dispose]();
    expect(admission.counts).toEqual({ capacity: 0, leased: 0, waiting: 1 });
    admission.setCapacity(1);
    leaseOf(await second);
    expect(admission.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
  });

  it('sends all who wait away when it drains, and all who come', async () => {
    const admission = open();
    const first = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const waiting = admission.admit({ lane, slots: 1, signal: staying });
    admission.drain();
    expect(await waiting).toEqual({ outcome: 'draining', retryAfterMs: 1000 });
    expect((await admission.admit({ lane, slots: 1, signal: staying })).outcome).toBe('draining');
    first[Symbol.dispose]();
    expect(admission.counts).toEqual({ capacity: 1, leased: 0, waiting: 0 });
  });

  it('keeps those whom the engine’s end has put back into the line when it drains, and takes more of them', async () => {
    const admission = open();
    const first = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const sentAgain = admission.admit({ lane, slots: 1, signal: staying, requeued: true });
    const newcomer = admission.admit({ lane, slots: 1, signal: staying });
    admission.drain();
    expect((await newcomer).outcome).toBe('draining');
    const anotherSentAgain = admission.admit({ lane, slots: 1, signal: staying, requeued: true });
    first[Symbol.dispose]();
    leaseOf(await anotherSentAgain)[Symbol.dispose]();
    expect((await sentAgain).outcome).toBe('granted');
  });

  it('sends each of those it cannot take to a later time than the one before', async () => {
    const admission = open({ capacity: 2, maxWaiting: 3 });
    for (let n = 0; n < 5; n++) void admission.admit({ lane, slots: 1, signal: staying });
    // No request has ended yet, so each is taken to last a second, on two slots side by side.
    expect(await refusals(admission, 3)).toEqual([750, 1500, 2250]);
  });

  it('speaks of a minute at most, of no two the same time, and of little once the line was empty', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 90_000 }),
        async (capacity, lasts) => {
          vi.useFakeTimers();
          const admission = open({ capacity, maxWaiting: 2, timeoutMs: 10_000_000 });
          const entering = Array.from({ length: capacity + 2 }, () =>
            admission.admit({ lane, slots: 1, signal: staying }),
          );
          const overload = await refusals(admission, 3000);
          expect(Math.max(...overload)).toBeLessThanOrEqual(60_000);
          expect(new Set(overload).size).toBe(overload.length);
          for (const admitted of entering) {
            vi.advanceTimersByTime(lasts);
            leaseOf(await admitted)[Symbol.dispose]();
          }
          vi.advanceTimersByTime(1000);
          for (let n = 0; n < capacity + 2; n++) void admission.admit({ lane, slots: 1, signal: staying });
          const [first = 0, second = 0] = await refusals(admission, 2);
          const usual = Math.min((1.5 * lasts * (capacity + 2)) / capacity, 60_000);
          expect(first).toBeLessThanOrEqual(usual);
          expect(second).toBeGreaterThan(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('spreads those beyond the minute over its second half', async () => {
    const admission = open({ maxWaiting: 0 });
    leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    const times = await refusals(admission, 4000);
    const [named, spread] = [times.slice(0, 40), times.slice(40)];
    expect(named).toEqual(named.map((_, n) => 1500 * (n + 1)));
    for (let second = 30; second < 60; second++) {
      const among = spread.filter((ms) => Math.floor(ms / 1000) === second).length;
      expect(Math.abs(among - spread.length / 30), `in second ${second}`).toBeLessThan(spread.length / 100);
    }
  });

  it('is not misled by one long answer among short ones', async () => {
    const admission = open({ maxWaiting: 0 });
    for (const lasts of [100, 100, 100, 3_600_000, 100]) {
      const lease = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
      vi.advanceTimersByTime(lasts);
      lease[Symbol.dispose]();
    }
    leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    expect(await refusals(admission, 1)).toEqual([150]);
  });

  it('sees that nothing moves, whatever was usual before', async () => {
    const admission = open({ maxWaiting: 1 });
    const short = leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    short[Symbol.dispose]();
    vi.advanceTimersByTime(3_600_000);
    leaseOf(await admission.admit({ lane, slots: 1, signal: staying }));
    void admission.admit({ lane, slots: 1, signal: staying });
    expect(await refusals(admission, 1)).toEqual([0]);
    vi.advanceTimersByTime(20_000);
    expect(await refusals(admission, 1)).toEqual([30_000]);
  });
});

/** What so many who cannot be taken are told, ms. */
async function refusals(admission: Scheduler, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const refused = await admission.admit({ lane, slots: 1, signal: staying });
    if (refused.outcome !== 'full') throw new Error(`expected a refusal, got ${refused.outcome}`);
    times.push(refused.retryAfterMs);
  }
  return times;
}
