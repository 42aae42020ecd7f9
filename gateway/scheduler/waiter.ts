/** A request that wants slots. */
export interface Waiter {
  /** How many sequences the backend will decode for it. */
  readonly slots: number;
  /** Its cost to the lane, if that is not the number of its slots. */
  readonly cost?: number;
  /** It was served before and lost that: it goes first in its lane, even if the queue is full. */
  readonly requeued?: boolean;
  readonly lane: LaneSettings;
}

/** The lane that a request belongs to. Every key has its own. */
export interface LaneSettings {
  readonly id: string;
  /** Turns in a round, relative to the other lanes. */
  readonly weight: number;
  /** The most requests of this lane that hold slots at once, at all engines; more wait. */
  readonly maxConcurrent: number;
  /** The user who sent the request, if the key tells its users apart: they take turns within the lane. */
  readonly user?: LaneUser | undefined;
}

/** One of the users of a key. */
export interface LaneUser {
  readonly id: string;
  /** The most requests of this user that hold slots at once, at all engines. */
  readonly maxConcurrent: number;
}

/** What a request costs its lane. Bounded, as the backend rejects a request that asks for billions of sequences. */
export function costOf({ slots, cost = slots }: Waiter): number {
  return Math.min(cost, MAX_COST);
}

const MAX_COST = 1024;

/** All requests of a lane without a user count as those of one. */
export const userOf = ({ lane: { user } }: Waiter): string => user?.id ?? NO_USER;

export const NO_USER = '';
