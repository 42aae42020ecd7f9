import type { EnqueueResult, FairQueue, Grant } from '../../gateway/scheduler/fair-queue.ts';
import type { LaneSettings, Waiter } from '../../gateway/scheduler/waiter.ts';

/** Limits of a queue that are never reached. */
export const roomy = { maxWaiting: 1000, maxWaitingPerLane: 1000 };

export function laneSettings(id: string, more: Partial<LaneSettings> = {}): LaneSettings {
  return { id, weight: 2, maxConcurrent: Infinity, ...more };
}

export const waiter = (id: string, slots = 1, more?: Partial<LaneSettings>): Waiter => ({
  slots,
  lane: laneSettings(id, more),
});

/** Serves all waiting requests, one slot at a time, and returns the order. */
export function serveAll(queue: FairQueue<Waiter>, running: Grant<Waiter>): string[] {
  const order: string[] = [];
  const release = (grant: Grant<Waiter>) => {
    for (const next of queue.release(grant)) {
      order.push(next.waiter.lane.id);
      release(next);
    }
  };
  release(running);
  return order;
}

export function grantOf(entered: EnqueueResult<Waiter>): Grant<Waiter> {
  if (entered.outcome !== 'granted') throw new Error(`expected a grant, not: ${entered.outcome}`);
  return entered.grant;
}

export function firstOf([grant]: readonly Grant<Waiter>[]): Grant<Waiter> {
  if (!grant) throw new Error('expected a grant');
  return grant;
}
