import type { LaneSettings } from './lane.ts';
import { type LeaseRequest, Scheduler, type SchedulerOptions } from './scheduler.ts';

/**
 * Requests that only count or tokenize, and counts of ours, at the backend at the same time. They need no slot, but
 * llama-server has a thread for each and a processor for none: those for tokens that others wait for have to do with less.
 */
export const COUNTING_CONCURRENCY = 4;
/** So many of one key, that another one finds a place. */
const OF_ONE_LANE = 2;
/** What counts as one turn, bytes of the body. */
const BYTES_PER_TURN = 64 * 1024;

/** Who may count, and who waits for that: lanes of their own, as those for slots are. */
export function createCountingScheduler(options: SchedulerOptions): Scheduler {
  return new Scheduler({ ...options, leasesSlots: false });
}

/** A claim on a place to count a body of so many bytes. */
export function countingLeaseRequest(
  lane: LaneSettings,
  bytes: number,
): Pick<LeaseRequest, 'lane' | 'slots' | 'cost'> {
  const concurrent = Math.min(lane.maxConcurrent, OF_ONE_LANE);
  return {
    lane: { ...lane, maxConcurrent: concurrent },
    slots: 1,
    cost: Math.ceil((bytes + 1) / BYTES_PER_TURN),
  };
}
