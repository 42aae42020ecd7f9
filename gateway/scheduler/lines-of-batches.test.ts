import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Preemptible } from './idle-slots.ts';
import { LaneAccounts } from './lane-accounts.ts';
import type { AdmissionResult, LeaseRequest } from './lease.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';

const signal = new AbortController().signal;
const lane = { id: 'key', weight: 2, maxConcurrent: Infinity };
const client = (more: Partial<LeaseRequest> = {}): LeaseRequest => ({ lane, slots: 1, signal, ...more });
const minute = 60_000;

function createScheduler(capacity: number, options: Partial<SchedulerOptions> = {}) {
  const scheduler = new Scheduler({
    limits: { maxWaiting: 1, maxWaitingPerLane: 1, timeoutMs: minute },
    batchSlots: capacity,
    ...options,
  });
  scheduler.setCapacity(capacity);
  return scheduler;
}

function lineOf(): Preemptible & { preempted: number } {
  return {
    generated: 0,
    preempted: 0,
    mayGiveWay: () => true,
    preempt() {
      this.preempted += 1;
    },
  };
}

const send = (scheduler: Scheduler, line = lineOf(), more: Partial<LeaseRequest> = {}) =>
  scheduler.admit(client({ lane: { ...lane, weight: 0.5 }, line, ...more }));

function leaseOf(result: AdmissionResult | Promise<AdmissionResult>) {
  if (result instanceof Promise || result.outcome !== 'granted') throw new Error('expected a lease');
  return result.lease;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the lines of batches', () => {
  it('wait without a limit of number or time, and leave when their client does', async () => {
    const scheduler = createScheduler(1);
    const running = leaseOf(send(scheduler));
    const leaving = new AbortController();
    const left = send(scheduler, lineOf(), { signal: leaving.signal });
    const others = [send(scheduler), send(scheduler)];
    vi.advanceTimersByTime(100 * minute);
    expect(scheduler.batches).toEqual({ capacity: 1, leased: 1, waiting: 3 });
    expect(scheduler.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
    expect([...scheduler.waitingByWeight]).toEqual([]);
    leaving.abort();
    expect(await left).toEqual({ outcome: 'left' });
    running[Symbol.dispose]();
    expect((await others[0])?.outcome).toBe('granted');
    expect(scheduler.outcomes.get(0.5)).toMatchObject({ granted: 2, left: 1, 'timed-out': 0 });
  });

  it('are no part of what clients are told of the queue', async () => {
    const scheduler = createScheduler(1);
    const hour = 60 * minute;
    const line = lineOf();
    const running = leaseOf(send(scheduler, line));
    vi.advanceTimersByTime(hour);
    send(scheduler);
    const positions: unknown[] = [];
    const waiting = scheduler.admit(client({ onQueued: (position) => positions.push(position()) }));
    expect(positions).toEqual([{ position: 1, waiting: 1 }]);
    expect(line.preempted).toBe(1);
    running[Symbol.dispose]();
    const lease = leaseOf(await waiting);
    scheduler.admit(client());
    const rejected = await scheduler.admit(client());
    expect(rejected, 'of the second that is assumed, not of the hour').toMatchObject({
      outcome: 'full',
      retryAfterMs: 1500,
    });
    lease[Symbol.dispose]();
  });

  it('are dismissed first at a drain, those that were cut off too', async () => {
    const scheduler = createScheduler(1);
    const running = leaseOf(send(scheduler));
    const ended: string[] = [];
    const queued = [
      ['client', scheduler.admit(client())],
      ['line', send(scheduler)],
      ['cut off', send(scheduler, lineOf(), { requeued: true })],
    ] as const;
    const all = queued.map(async ([name, result]) => ended.push(`${name} ${(await result).outcome}`));
    scheduler.drain();
    await Promise.all(all);
    expect(ended).toEqual(['line draining', 'cut off draining', 'client draining']);
    expect(await send(scheduler, lineOf(), { requeued: true })).toMatchObject({ outcome: 'draining' });
    running[Symbol.dispose]();
    expect(scheduler.counts.leased).toBe(0);
  });

  it('are cut off when the engine pauses, and go to another engine', async () => {
    const scheduler = createScheduler(2);
    const [first, second] = [lineOf(), lineOf()];
    const leases = [first, second].map((line) => leaseOf(send(scheduler, line)));
    const waiting = [send(scheduler), send(scheduler)];
    scheduler.setCapacity(0);
    scheduler.preemptBatches();
    scheduler.preemptBatches();
    expect([first.preempted, second.preempted]).toEqual([1, 1]);
    for (const lease of leases) lease[Symbol.dispose]();
    expect(scheduler.batches).toEqual({ capacity: 0, leased: 0, waiting: 2 });
    scheduler.moveLines(1);
    expect(await waiting[0]).toMatchObject({ outcome: 'moved' });
    scheduler.moveAll();
    expect(await waiting[1]).toMatchObject({ outcome: 'moved' });
    await scheduler.whenIdle();
  });

  it('give way to a request whose key was at its limit at another engine', async () => {
    const accounts = new LaneAccounts();
    const [here, elsewhere] = [createScheduler(1, { accounts }), createScheduler(1, { accounts })];
    const bound = { ...lane, maxConcurrent: 1 };
    const running = leaseOf(elsewhere.admit(client({ lane: bound })));
    const line = lineOf();
    const lease = leaseOf(send(here, line));
    const waiting = here.admit(client({ lane: bound }));
    expect(line.preempted).toBe(0);
    running[Symbol.dispose]();
    expect(line.preempted).toBe(1);
    lease[Symbol.dispose]();
    expect((await waiting).outcome).toBe('granted');
  });
});
