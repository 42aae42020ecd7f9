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
  /** Waiting requests in all. */
  readonly maxWaiting: number;
  /** Waiting requests in one lane. */
  readonly maxWaitingPerLane: number;
}

export type EnqueueResult<W extends Waiter> =
  | { readonly outcome: 'granted'; readonly grant: Grant<W> }
  /** `evicted` had to leave the queue for it. */
  | { readonly outcome: 'queued'; readonly evicted?: W }
  | { readonly outcome: 'full' };

/** Release the same value when the backend has released the slots. */
export interface Grant<W extends Waiter> {
  readonly waiter: W;
  readonly slots: number;
}

export interface QueueCounts {
  /** Slots; 0 while no backend can serve requests. */
  readonly capacity: number;
  readonly leased: number;
  readonly waiting: number;
}

/**
 * Slots, and the lanes that wait for them. A state machine without clocks and promises: events go in, grants come out.
 * Between two events no request waits that could be served, so a new one is granted at once only if it overtakes nobody.
 * The first request of the lane whose turn it is blocks the others until it fits, or requests with many slots would starve.
 */
export class FairQueue<W extends Waiter> {
  readonly #limits: QueueLimits;
  readonly #lanes = new Map<string, Lane<W>>();
  #capacity = 0;
  #leased = 0;
  #waiting = 0;
  /** What an idle lane counts as having had: as much as the lane served last. */
  #served = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get counts(): QueueCounts {
    return { capacity: this.#capacity, leased: this.#leased, waiting: this.#waiting };
  }

  get waiting(): W[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting);
  }

  enqueue(waiter: W): EnqueueResult<W> {
    const lane = this.#laneOf(waiter);
    if (waiter.requeued) lane.waiting.unshift(waiter);
    else lane.waiting.push(waiter);
    this.#waiting += 1;
    const [grant] = this.#grant();
    if (grant) return { outcome: 'granted', grant };
    if (waiter.requeued) return { outcome: 'queued' };
    const isLaneFull = lane.waiting.length > this.#limits.maxWaitingPerLane;
    if (!isLaneFull && this.#waiting <= this.#limits.maxWaiting) return { outcome: 'queued' };
    const evicted = isLaneFull ? undefined : pickEvicted(lane, this.#lanes.values());
    this.#remove(evicted ?? waiter);
    return evicted === undefined ? { outcome: 'full' } : { outcome: 'queued', evicted };
  }

  /** Takes a request out of the queue. False if it does not wait (any more). */
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

  /** Slots appear and disappear with the backend; leased ones stay leased until they are released. */
  setCapacity(capacity: number): readonly Grant<W>[] {
    this.#capacity = capacity;
    return this.#grant();
  }

  /** The position of a request among all that wait, from 1; 0 for one that does not wait. */
  positionOf(waiter: W): number {
    return queuePosition(waiter, this.#lanes.values());
  }

  #laneOf({ lane: settings }: W): Lane<W> {
    const known = this.#lanes.get(settings.id);
    if (known) {
      known.settings = settings;
      if (known.waiting.length === 0) this.#moveToBack(known);
      return known;
    }
    const lane = createLane<W>(settings, this.#served);
    this.#lanes.set(settings.id, lane);
    return lane;
  }

  #grant(): Grant<W>[] {
    const grants: Grant<W>[] = [];
    while (this.#capacity > 0) {
      const lane = pickLane(this.#lanes.values());
      const waiter = lane?.waiting[0];
      if (!lane || !waiter) break;
      // Never more than there are, or a request with many choices would wait for ever.
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
    this.#moveToBack(lane);
    for (const other of this.#lanes.values()) this.#closeIfIdle(other);
  }

  /** In a tie the lane that has waited longest goes first. */
  #moveToBack(lane: Lane<W>): void {
    lane.served = Math.max(lane.served, this.#served);
    this.#lanes.delete(lane.id);
    this.#lanes.set(lane.id, lane);
  }

  /**
   * Forgets an idle lane that is not ahead of the others. A lane that has had more than they is remembered until they have
   * caught up, or a client that comes again and again would overtake clients that stay.
   */
  #closeIfIdle(lane: Lane<W>): void {
    if (isIdle(lane) && lane.served <= this.#served) this.#lanes.delete(lane.id);
  }
}
