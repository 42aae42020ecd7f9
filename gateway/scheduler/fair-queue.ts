import { type Key, type Priority, priorities } from '../../keys/key.ts';
import type { LaneAccount, LaneAccounts } from './lane-accounts.ts';

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
  /** The most requests of this lane at the backend at once; more wait. */
  readonly maxConcurrent: number;
}

/** One waiting line, first come, first served. */
export interface Lane<W extends Waiter> {
  readonly id: string;
  settings: LaneSettings;
  readonly waiting: W[];
  /** Requests of this lane that hold slots. */
  running: number;
  /** How much of its share the lane has had: the cost of the granted requests, divided by its weight. */
  served: number;
  /** Its turns at all engines; undefined if there is one engine. */
  readonly account: LaneAccount | undefined;
  /** The turns of the account that `served` includes. */
  charged: number;
}

const weights: Readonly<Record<Priority, number>> = { high: 4, normal: 2, low: 1 };

/** Without authentication all requests share one lane: there is no identity that can be trusted. */
const sharedLane: LaneSettings = { id: '', weight: weights.normal, maxConcurrent: Infinity };

/** The lane of a key, with the settings that the key has now. */
export function laneForKey(key: Key | undefined): LaneSettings {
  if (key === undefined) return sharedLane;
  return {
    id: key.id,
    weight: weights[key.priority],
    maxConcurrent: key.limits.concurrent || Infinity,
  };
}

export function priorityForWeight(weight: number): Priority {
  return priorities.find((priority) => weights[priority] === weight) ?? 'normal';
}

function createLane<W extends Waiter>(
  settings: LaneSettings,
  served: number,
  account: LaneAccount | undefined,
): Lane<W> {
  return {
    ...{ id: settings.id, settings, waiting: [], running: 0, served, account },
    charged: account?.turns ?? 0,
  };
}

/** The most turns elsewhere that count against a lane here: it must not wait for ever where others are slower. */
const MAX_TURNS_ELSEWHERE = 8;

/** A turn is a turn, whatever the model: adds those that a lane has had at other engines to what it has had here. */
function chargeElsewhere(lane: Lane<Waiter>, served: number): void {
  if (lane.account === undefined) return;
  const turns = lane.account.turns - lane.charged;
  lane.charged = lane.account.turns;
  if (turns > 0)
    lane.served = Math.max(lane.served, Math.min(lane.served + turns, served + MAX_TURNS_ELSEWHERE));
}

function isIdle({ waiting, running }: Lane<Waiter>): boolean {
  return waiting.length === 0 && running === 0;
}

/**
 * The lane whose turn it is: of those below their own limit, the one that has had the least of its share (start-time fair
 * queueing, after Goyal, Vin and Cheng, 1996). So a lane with a thousand requests delays the first request of another lane by
 * one turn, and shares hold whatever the requests cost. In a tie the lane that has waited longest goes first: `lanes` come
 * in that order.
 */
function pickLane<W extends Waiter>(lanes: Iterable<Lane<W>>): Lane<W> | undefined {
  let next: Lane<W> | undefined;
  for (const lane of lanes) {
    if (lane.waiting.length === 0 || isAtLimit(lane)) continue;
    if (next === undefined || lane.served < next.served) next = lane;
  }
  return next;
}

/**
 * The likely position of a request among all that wait, from 1. A lane at its own limit is skipped until one of its
 * requests has ended, so its requests are ahead of nobody else.
 */
function queuePosition<W extends Waiter>(waiter: W, lanes: Iterable<Lane<W>>): number {
  const all = [...lanes];
  const own = all.find((lane) => lane.waiting.includes(waiter));
  if (own === undefined) return 0;
  const turn = startTimes(own).get(waiter) ?? 0;
  let position = 1;
  for (const lane of all) {
    if (lane !== own && isAtLimit(lane)) continue;
    for (const [other, start] of startTimes(lane)) {
      if (other === waiter) break;
      if (lane === own || start <= turn) position += 1;
    }
  }
  return position;
}

/** What a request costs its lane. Bounded, as the backend rejects a request that asks for billions of sequences. */
function costOf({ slots, cost = slots }: Waiter): number {
  return Math.min(cost, MAX_COST);
}

const MAX_COST = 1024;

/**
 * The request to evict from a full queue for one more in the lane `ownId`: the last of the lane that is longest for its weight,
 * if that lane is then still at least as long as the own one. So a key may fill the queue as long as no other key needs a
 * place. A lane may be at several queues.
 */
function pickEvicted<W extends Waiter>(ownId: string, lanes: readonly Lane<W>[]): W | undefined {
  const byId = Map.groupBy(lanes, ({ id }) => id);
  const own = byId.get(ownId) ?? [];
  let longest = own;
  for (const parts of byId.values()) if (weightedLength(parts) > weightedLength(longest)) longest = parts;
  if (longest === own || weightedLength(longest, 1) < weightedLength(own)) return undefined;
  const fullestFirst = longest.toSorted((a, b) => b.waiting.length - a.waiting.length);
  for (const { waiting } of fullestFirst) {
    const last = waiting.findLast(({ requeued }) => !requeued);
    if (last !== undefined) return last;
  }
  return undefined;
}

function weightedLength(parts: readonly Lane<Waiter>[], without = 0): number {
  const length = parts.reduce((sum, { waiting }) => sum + waiting.length, -without);
  return length / (parts[0]?.settings.weight ?? 1);
}

function isAtLimit<W extends Waiter>({ running, settings }: Lane<W>): boolean {
  return running >= settings.maxConcurrent;
}

/** What the lane will have been served when the turn of each of its requests comes. */
function startTimes<W extends Waiter>({ waiting, served, settings }: Lane<W>): Map<W, number> {
  const starts = new Map<W, number>();
  let start = served;
  for (const waiter of waiting) {
    starts.set(waiter, start);
    start += costOf(waiter) / settings.weight;
  }
  return starts;
}

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

const noGrants: readonly never[] = [];

/**
 * Slots, and the lanes that wait for them. A state machine without clocks and promises: events go in, grants come out.
 * Between two events no request waits that could be served, so a new one is granted at once only if it overtakes nobody.
 * The first request of the lane whose turn it is blocks the others until it fits, or requests with many slots would starve.
 */
export class FairQueue<W extends Waiter> {
  readonly #limits: QueueLimits;
  readonly #accounts: LaneAccounts | undefined;
  readonly #peers: (() => readonly FairQueue<W>[]) | undefined;
  readonly #alone: readonly FairQueue<W>[] = [this];
  readonly #lanes = new Map<string, Lane<W>>();
  #capacity = 0;
  #leased = 0;
  #waiting = 0;
  /** What an idle lane counts as having had: as much as the lane served last. */
  #served = 0;
  /** The last one of the lanes. */
  #last: Lane<W> | undefined;

  /** `peers` are the queues that the limits apply to together. */
  constructor(limits: QueueLimits, accounts?: LaneAccounts, peers?: () => readonly FairQueue<W>[]) {
    this.#limits = limits;
    this.#accounts = accounts;
    this.#peers = peers;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get counts(): QueueCounts {
    return { capacity: this.#capacity, leased: this.#leased, waiting: this.#waiting };
  }

  get waiting(): W[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting);
  }

  /** The request whose turn it is; undefined if none waits, or all lanes are at their limits. */
  get next(): W | undefined {
    return this.#pickLane()?.waiting[0];
  }

  enqueue(waiter: W): EnqueueResult<W> {
    const lane = this.#laneOf(waiter);
    const atOnce = this.#grantAtOnce(lane, waiter);
    if (atOnce) return { outcome: 'granted', grant: atOnce };
    if (waiter.requeued) lane.waiting.unshift(waiter);
    else lane.waiting.push(waiter);
    this.#waiting += 1;
    const [grant] = this.#grant();
    if (grant) return { outcome: 'granted', grant };
    if (waiter.requeued) return { outcome: 'queued' };
    const queues = this.#queues;
    let [waiting, waitingInLane] = [0, 0];
    for (const queue of queues) {
      waiting += queue.#waiting;
      waitingInLane += queue.#lanes.get(lane.id)?.waiting.length ?? 0;
    }
    const isLaneFull = waitingInLane > this.#limits.maxWaitingPerLane;
    if (!isLaneFull && waiting <= this.#limits.maxWaiting) return { outcome: 'queued' };
    const lanes = queues.flatMap((queue) => [...queue.#lanes.values()]);
    const evicted = isLaneFull ? undefined : pickEvicted(lane.id, lanes);
    for (const queue of queues) if (queue.#remove(evicted ?? waiter)) break;
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

  /** Slots appear and disappear with the backend; leased ones remain leased until they are released. */
  setCapacity(capacity: number): readonly Grant<W>[] {
    this.#capacity = capacity;
    return this.#grant();
  }

  /** The position of a request among all that wait, from 1; 0 for one that does not wait. */
  positionOf(waiter: W): number {
    return queuePosition(waiter, this.#lanes.values());
  }

  get #queues(): readonly FairQueue<W>[] {
    const peers = this.#peers?.() ?? this.#alone;
    return peers.includes(this) ? peers : [...peers, this];
  }

  #laneOf({ lane: settings }: W): Lane<W> {
    const known = this.#lanes.get(settings.id);
    if (known) {
      known.settings = settings;
      if (known.waiting.length === 0) this.#moveToBack(known);
      return known;
    }
    const lane = createLane<W>(settings, this.#served, this.#accounts?.of(settings.id));
    this.#lanes.set(settings.id, lane);
    this.#last = lane;
    return lane;
  }

  /** What `#grant` would do where nobody waits. */
  #grantAtOnce(lane: Lane<W>, waiter: W): Grant<W> | undefined {
    if (this.#waiting > 0 || this.#capacity === 0 || isAtLimit(lane)) return undefined;
    const slots = Math.min(waiter.slots, this.#capacity);
    if (this.#leased + slots > this.#capacity) return undefined;
    this.#serve(lane, waiter, slots);
    return { waiter, slots };
  }

  #grant(): readonly Grant<W>[] {
    if (this.#waiting === 0) return noGrants;
    const grants: Grant<W>[] = [];
    while (this.#capacity > 0) {
      const lane = this.#pickLane();
      const waiter = lane?.waiting[0];
      if (!lane || !waiter) break;
      // Never more than there are, or a request with many choices would wait for ever.
      const slots = Math.min(waiter.slots, this.#capacity);
      if (this.#leased + slots > this.#capacity) break;
      lane.waiting.shift();
      this.#waiting -= 1;
      this.#serve(lane, waiter, slots);
      grants.push({ waiter, slots });
    }
    return grants;
  }

  #pickLane(): Lane<W> | undefined {
    if (this.#accounts !== undefined)
      for (const lane of this.#lanes.values()) chargeElsewhere(lane, this.#served);
    return pickLane(this.#lanes.values());
  }

  #serve(lane: Lane<W>, waiter: W, slots: number): void {
    lane.running += 1;
    this.#leased += slots;
    this.#served = Math.max(this.#served, lane.served);
    const turns = costOf(waiter) / lane.settings.weight;
    lane.served += turns;
    if (lane.account !== undefined) {
      lane.account.turns += turns;
      lane.charged += turns;
    }
    this.#moveToBack(lane);
    for (const other of this.#lanes.values()) this.#closeIfIdle(other);
  }

  /** In a tie the lane that has waited longest goes first. */
  #moveToBack(lane: Lane<W>): void {
    lane.served = Math.max(lane.served, this.#served);
    if (this.#last === lane) return;
    this.#lanes.delete(lane.id);
    this.#lanes.set(lane.id, lane);
    this.#last = lane;
  }

  /**
   * Forgets an idle lane that is not ahead of the others. A lane that has had more than they is remembered until they have
   * caught up, or a client that comes again and again would overtake clients that wait.
   */
  #closeIfIdle(lane: Lane<W>): void {
    if (!isIdle(lane) || lane.served > this.#served) return;
    this.#lanes.delete(lane.id);
    if (this.#last === lane) this.#last = undefined;
  }
}
