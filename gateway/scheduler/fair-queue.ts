import {
  costOf,
  createLane,
  isIdle,
  type Lane,
  pickEvicted,
  pickLane,
  queuePosition,
  type Waiter,
} from './lane.ts';

export interface QueueLimits {
  /** Waiters in all. */
  readonly maxWaiting: number;
  /** Waiters in one lane. */
  readonly maxWaitingPerLane: number;
}

/** How it goes for one who comes. */
export type EnqueueResult<W extends Waiter> =
  | { readonly entry: 'granted'; readonly grant: Grant<W> }
  /** `displaced` had to leave for it. */
  | { readonly entry: 'waits'; readonly displaced?: W }
  | { readonly entry: 'full' };

/** What was granted: give the same value back when the backend has let go. */
export interface Grant<W extends Waiter> {
  readonly waiter: W;
  readonly slots: number;
}

export interface QueueCounts {
  /** Slots; 0 while there is no backend to serve anyone. */
  readonly capacity: number;
  readonly leased: number;
  readonly waiting: number;
}

/**
 * Slots and the lanes that wait for them. A state machine without clocks and promises: events come in, grants come out.
 * Between two events nobody waits who could be served, so a newcomer is granted at once only where that passes over no
 * one. The head of the lane whose turn it is holds the others up until it fits, or heavy requests would starve.
 */
export class FairQueue<W extends Waiter> {
  readonly #bounds: QueueLimits;
  readonly #lanes = new Map<string, Lane<W>>();
  #capacity = 0;
  #leased = 0;
  #waiting = 0;
  /** What a lane that was idle is taken to have had: as much as the one served last. */
  #served = 0;

  constructor(bounds: QueueLimits) {
    this.#bounds = bounds;
  }

  get counts(): QueueCounts {
    return { capacity: this.#capacity, leased: this.#leased, waiting: this.#waiting };
  }

  /** Everyone who waits. */
  get waiting(): W[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting);
  }

  enqueue(waiter: W): EnqueueResult<W> {
    const lane = this.#laneOf(waiter);
    if (waiter.requeued) lane.waiting.unshift(waiter);
    else lane.waiting.push(waiter);
    this.#waiting += 1;
    const [grant] = this.#grant();
    if (grant) return { entry: 'granted', grant };
    if (waiter.requeued) return { entry: 'waits' };
    const isLaneFull = lane.waiting.length > this.#bounds.maxWaitingPerLane;
    if (!isLaneFull && this.#waiting <= this.#bounds.maxWaiting) return { entry: 'waits' };
    const displaced = isLaneFull ? undefined : pickEvicted(lane, this.#lanes.values());
    this.#remove(displaced ?? waiter);
    return displaced === undefined ? { entry: 'full' } : { entry: 'waits', displaced };
  }

  /** Takes a waiter out. False where it does not wait (any more). */
  remove(waiter: W): readonly [boolean, readonly Grant<W>[]] {
    return this.#remove(waiter) ? [true, this.#grant()] : [false, []];
  }

  #remove(waiter: W): boolean {
    const lane = this.#lanes.get(waiter.lane.id);
    const index = lane?.waiting.indexOf(waiter) ?? -1;
    if (!lane || index === -1) return false;
    lane.waiting.splice(index, 1);
    this.#waiting -= 1;
    this.#closeIfIdle(lane);
    return true;
  }

  release({ waiter, slots }: Grant<W>): readonly Grant<W>[] {
    this.#leased -= slots;
    const lane = this.#lanes.get(waiter.lane.id);
    if (lane) {
      lane.running -= 1;
      this.#closeIfIdle(lane);
    }
    return this.#grant();
  }

  /** Slots come with a backend that is ready, and go with it; what is leased stays leased until it is given back. */
  setCapacity(capacity: number): readonly Grant<W>[] {
    this.#capacity = capacity;
    return this.#grant();
  }

  /** The place of a waiter among all who wait, from 1; 0 for one who does not. */
  positionOf(waiter: W): number {
    return queuePosition(waiter, this.#lanes.values());
  }

  #laneOf({ lane: terms }: W): Lane<W> {
    const known = this.#lanes.get(terms.id);
    if (known) {
      known.settings = terms;
      if (known.waiting.length === 0) this.#queueUp(known);
      return known;
    }
    const lane = createLane<W>(terms, this.#served);
    this.#lanes.set(terms.id, lane);
    return lane;
  }

  #grant(): Grant<W>[] {
    const grants: Grant<W>[] = [];
    while (this.#capacity > 0) {
      const lane = pickLane(this.#lanes.values());
      const waiter = lane?.waiting[0];
      if (!lane || !waiter) break;
      // Never more than there is, or a request with many choices would wait for ever.
      const slots = Math.min(waiter.slots, this.#capacity);
      if (this.#leased + slots > this.#capacity) break;
      this.#serve(lane, waiter, slots);
      grants.push({ waiter, slots });
    }
    return grants;
  }

  #serve(lane: Lane<W>, waiter: W, slots: number): void {
    lane.waiting.shift();
    lane.running += 1;
    this.#waiting -= 1;
    this.#leased += slots;
    this.#served = Math.max(this.#served, lane.served);
    lane.served += costOf(waiter) / lane.settings.weight;
    this.#queueUp(lane);
    for (const other of this.#lanes.values()) this.#closeIfIdle(other);
  }

  /** To the end of the lanes: in a tie the one that has waited longest goes first. */
  #queueUp(lane: Lane<W>): void {
    lane.served = Math.max(lane.served, this.#served);
    this.#lanes.delete(lane.id);
    this.#lanes.set(lane.id, lane);
  }

  /**
   * Forgets a lane that has nothing and is ahead of nobody. One that has had more than the others is remembered until
   * they have caught up, or coming again and again would put it before those who stay.
   */
  #closeIfIdle(lane: Lane<W>): void {
    if (isIdle(lane) && lane.served <= this.#served) this.#lanes.delete(lane.id);
  }
}
