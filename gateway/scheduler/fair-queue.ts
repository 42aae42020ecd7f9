import {
  chargeElsewhere,
  createLane,
  freePlaces,
  isAtLimit,
  isIdle,
  type Lane,
  nextInLane,
  pickEvicted,
  pickEvictedOfUsers,
  pickLane,
  queuePosition,
  servable,
} from './lane.ts';
import type { LaneAccount, LaneAccounts, WaitingQueue } from './lane-accounts.ts';
import { LaneUsers } from './lane-users.ts';
import { pickAmongEngines } from './pick-among-engines.ts';
import { costOf, type LaneSettings, type Waiter } from './waiter.ts';

export interface QueueLimits {
  /** Waiting requests in all. */
  readonly maxWaiting: number;
  /** Waiting requests in one lane. */
  readonly maxWaitingPerLane: number;
}

export type EnqueueResult<W extends Waiter> =
  /** `further`: it went before one that needs more slots than there are, so that the next fits as well. */
  | { readonly outcome: 'granted'; readonly grant: Grant<W>; readonly further: readonly Grant<W>[] }
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
const noPeers: readonly never[] = [];

/**
 * Slots, and the lanes that wait for them. A state machine without clocks and promises: events go in, grants come out.
 * Between two events no request waits that could be served, so a new one is granted at once only if it overtakes nobody.
 * The first request of the lane whose turn it is blocks the others until it fits, or requests with many slots would starve.
 */
export class FairQueue<W extends Waiter> implements WaitingQueue {
  readonly #limits: QueueLimits;
  readonly #accounts: LaneAccounts | undefined;
  readonly #onGrants: ((grants: readonly Grant<W>[]) => void) | undefined;
  readonly #peers: (() => readonly FairQueue<W>[]) | undefined;
  readonly #pick: typeof pickLane<W>;
  readonly #alone: readonly FairQueue<W>[] = [this];
  readonly #lanes = new Map<string, Lane<W>>();
  /** Slots that requests of another queue hold. To be changed while nothing can be granted, or before a method that grants. */
  occupied = 0;
  #capacity = 0;
  #leased = 0;
  #waiting = 0;
  /** What an idle lane counts as having had: as much as the lane served last. */
  #served = 0;
  /** The last one of the lanes. */
  #last: Lane<W> | undefined;
  readonly #mayServePeers: () => boolean;

  /**
   * `peers` are the queues that the limits apply to together. `onGrants` is called with the grants, if any, that a change at a
   * queue with the same accounts has made possible. A free slot may go to a request that waits at a peer while
   * `mayServePeers`. `pick` finds the lane whose turn it is.
   */
  constructor(
    limits: QueueLimits,
    accounts?: LaneAccounts,
    peers?: () => readonly FairQueue<W>[],
    onGrants?: (grants: readonly Grant<W>[]) => void,
    mayServePeers: () => boolean = () => false,
    pick: typeof pickLane<W> = pickLane,
  ) {
    this.#mayServePeers = mayServePeers;
    this.#pick = pick;
    this.#onGrants = onGrants;
    this.#limits = limits;
    this.#accounts = accounts;
    this.#peers = peers;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get leased(): number {
    return this.#leased;
  }

  get counts(): QueueCounts {
    return { capacity: this.#capacity, leased: this.#leased, waiting: this.#waiting };
  }

  get waiting(): W[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting);
  }

  /** The request whose turn it is; undefined if none waits, or all lanes are at their limits. */
  get next(): W | undefined {
    const lane = this.#waiting === 0 ? undefined : this.#pick(this.#chargedLanes);
    return lane && nextInLane(lane);
  }

  /** How many slots the waiting requests would get if all were free; counted up to `most`. */
  wanted(most: number): number {
    if (this.#waiting === 0) return 0;
    let slots = 0;
    for (const lane of this.#lanes.values()) {
      const places = freePlaces(lane);
      const waiting = servable(lane);
      for (let at = 0; at < waiting.length && at < places; at++) {
        slots += Math.min(waiting[at]?.slots ?? 0, this.#capacity);
        if (slots >= most) return most;
      }
    }
    return slots;
  }

  enqueue(waiter: W): EnqueueResult<W> {
    const lane = this.#enter(waiter);
    const atOnce = this.#grantAtOnce(lane, waiter);
    if (atOnce) return { outcome: 'granted', grant: atOnce, further: noGrants };
    if (waiter.requeued) lane.waiting.unshift(waiter);
    else lane.waiting.push(waiter);
    lane.account?.queues.add(this);
    this.#waiting += 1;
    const [grant, ...further] = this.#grant(noPeers);
    if (grant) return { outcome: 'granted', grant, further };
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
    const own = lanes.filter(({ id }) => id === lane.id);
    const evicted = (isLaneFull ? undefined : pickEvicted(lane.id, lanes)) ?? pickEvictedOfUsers(waiter, own);
    for (const queue of queues) if (queue.#remove(evicted ?? waiter)) break;
    return evicted === undefined ? { outcome: 'full' } : { outcome: 'queued', evicted };
  }

  /** Takes a request out of the queue. False if it does not wait (any more). */
  remove(waiter: W): readonly [boolean, readonly Grant<W>[]] {
    return this.#remove(waiter) ? [true, this.#grant()] : [false, []];
  }

  /** The settings of a lane have changed since its requests came: they hold for those that wait, too. */
  updateLane(settings: LaneSettings): readonly Grant<W>[] {
    const lane = this.#lanes.get(settings.id);
    if (lane === undefined) return noGrants;
    setSettings(lane, settings);
    if (settings.user !== undefined) lane.users?.setLimit(settings.user.maxConcurrent);
    return this.#grant();
  }

  #remove(waiter: W): boolean {
    const lane = this.#lanes.get(waiter.lane.id);
    const index = lane?.waiting.indexOf(waiter) ?? -1;
    if (!lane || index === -1) return false;
    lane.waiting.splice(index, 1);
    lane.users?.leave(waiter);
    this.#waiting -= 1;
    if (lane.waiting.length === 0) lane.account?.queues.delete(this);
    this.#closeIfIdle(lane);
    return true;
  }

  release({ waiter, slots }: Grant<W>): readonly Grant<W>[] {
    this.#leased -= slots;
    const lane = this.#lanes.get(waiter.lane.id);
    if (lane) {
      lane.running -= 1;
      lane.users?.release(waiter);
      this.#closeIfIdle(lane);
    }
    return lane?.account === undefined ? this.#grant() : this.#releaseAt(lane.account);
  }

  /** The lane may have been at its limit, and wait at several engines. */
  #releaseAt(account: LaneAccount): readonly Grant<W>[] {
    account.running -= 1;
    const grants: Grant<W>[] = [];
    for (const queue of [...account.queues]) {
      if (queue === this) grants.push(...this.#grant());
      else queue.grantNext();
    }
    grants.push(...this.#grant());
    return grants;
  }

  grantNext(): void {
    this.#onGrants?.(this.#grant());
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

  /** The lane that the request comes to: to be called once, before it is served there or waits. */
  #enter(waiter: W): Lane<W> {
    const lane = this.#laneOf(waiter);
    if (lane.users === undefined && waiter.lane.user === undefined) return lane;
    if (lane.users === undefined) {
      if (lane.account !== undefined) lane.account.runningOfUsers ??= new Map();
      lane.users = new LaneUsers(lane.account?.runningOfUsers, lane.waiting);
    }
    lane.users.arrive(waiter);
    return lane;
  }

  #laneOf({ lane: settings, requeued }: W): Lane<W> {
    const known = this.#lanes.get(settings.id);
    if (known) {
      // A requeued request may have old settings.
      if (!requeued) setSettings(known, settings);
      if (known.waiting.length === 0) this.#moveToBack(known);
      return known;
    }
    const account = this.#accounts?.of(settings.id);
    if (account !== undefined) account.maxConcurrent = settings.maxConcurrent;
    const lane = createLane<W>(settings, this.#served, account);
    this.#lanes.set(settings.id, lane);
    this.#last = lane;
    return lane;
  }

  /** What `#grant` would do where nobody waits. */
  #grantAtOnce(lane: Lane<W>, waiter: W): Grant<W> | undefined {
    if (this.#waiting > 0 || this.#capacity === 0 || isAtLimit(lane)) return undefined;
    if (lane.users?.isAtLimit(waiter)) return undefined;
    const slots = this.#slotsFor(waiter);
    if (!this.#fits(slots)) return undefined;
    this.#serve(lane, waiter, slots);
    return { waiter, slots };
  }

  /** Never more than there are, or a request with many choices would wait for ever. */
  #slotsFor({ slots }: W): number {
    return Math.min(slots, this.#capacity);
  }

  #fits(slots: number): boolean {
    return this.#leased + this.occupied + slots <= this.#capacity;
  }

  #grant(peers = this.#servedPeers): readonly Grant<W>[] {
    if (this.#waiting === 0 && peers.length === 0) return noGrants;
    const grants: Grant<W>[] = [];
    while (this.#leased + this.occupied < this.#capacity) {
      const lane = peers.length === 0 ? this.#pick(this.#chargedLanes) : this.#pickAmong(peers);
      const waiter = lane && nextInLane(lane);
      if (!lane || !waiter) break;
      const slots = this.#slotsFor(waiter);
      if (!this.#fits(slots)) break;
      if (this.#lanes.get(lane.id) === lane) {
        if (lane.users === undefined) lane.waiting.shift();
        else lane.waiting.splice(lane.waiting.indexOf(waiter), 1);
        this.#waiting -= 1;
        this.#serve(lane, waiter, slots);
      } else {
        this.#serve(this.#enter(waiter), waiter, slots);
        for (const peer of peers) if (peer.#remove(waiter)) break;
      }
      grants.push({ waiter, slots });
    }
    return grants;
  }

  /** The peers whose requests may have the slots of this queue. */
  get #servedPeers(): readonly FairQueue<W>[] {
    if (this.#peers === undefined || !this.#mayServePeers()) return noPeers;
    return this.#peers().filter((peer) => peer !== this);
  }

  #pickAmong(peers: readonly FairQueue<W>[]): Lane<W> | undefined {
    return pickAmongEngines({
      own: [...this.#chargedLanes],
      peers: peers.map((peer) => [...peer.#chargedLanes]),
      served: ({ id }) => this.#lanes.get(id)?.served ?? this.#served,
      fits: (waiter) => this.#fits(this.#slotsFor(waiter)),
    });
  }

  /** With the turns that they have had elsewhere. */
  get #chargedLanes(): Iterable<Lane<W>> {
    if (this.#accounts !== undefined)
      for (const lane of this.#lanes.values()) chargeElsewhere(lane, this.#served);
    return this.#lanes.values();
  }

  #serve(lane: Lane<W>, waiter: W, slots: number): void {
    lane.running += 1;
    lane.users?.serve(waiter);
    this.#leased += slots;
    const othersMayHaveCaughtUp = lane.served > this.#served;
    this.#served = Math.max(this.#served, lane.served);
    const turns = costOf(waiter) / lane.settings.weight;
    lane.served += turns;
    if (lane.account !== undefined) {
      lane.account.turns += turns;
      lane.account.running += 1;
      lane.charged += turns;
      // The last of them from now on.
      if (lane.account.queues.delete(this) && lane.waiting.length > 0) lane.account.queues.add(this);
    }
    this.#moveToBack(lane);
    if (othersMayHaveCaughtUp) for (const other of this.#lanes.values()) this.#closeIfIdle(other);
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

function setSettings(lane: Lane<Waiter>, settings: LaneSettings): void {
  lane.settings = settings;
  if (lane.account !== undefined) lane.account.maxConcurrent = settings.maxConcurrent;
}
