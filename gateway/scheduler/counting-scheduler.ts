import type { LeaseRequest } from './lease.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import type { LaneSettings } from './waiter.ts';

/**
 * How many requests that only count tokens are at the backend at once, our own counts included. They need no slot, but
 * llama-server starts a thread for each and has no processor to spare: every one of them slows generation down.
 */
export const COUNTING_CONCURRENCY = 4;
/** The most of one key, at all engines, so that other keys find a place. */
const COUNTING_CONCURRENCY_PER_LANE = 2;
/** The part of a body that costs one turn. */
const BYTES_PER_TURN = 64 * 1024;

/** The scheduler for requests that only count tokens. It has lanes of its own. */
export function createCountingScheduler(options: SchedulerOptions): Scheduler {
  return new Scheduler({ ...options, leasesSlots: false });
}

/** The request to the counting scheduler for a body of this size. */
export function countingLeaseRequest(
  lane: LaneSettings,
  bytes: number,
): Pick<LeaseRequest, 'lane' | 'slots' | 'cost'> {
  const maxConcurrent = Math.min(lane.maxConcurrent, COUNTING_CONCURRENCY_PER_LANE);
  return { lane: { ...lane, maxConcurrent }, slots: 1, cost: Math.ceil((bytes + 1) / BYTES_PER_TURN) };
}
