import type { Key } from '../../keys/key.ts';
import type { CancelSignal } from '../cancellation.ts';
import { FairQueue, type Grant, type QueueCounts, type QueueLimits } from './fair-queue.ts';
import { IdleSlots, type Preemptible, slotsForBatches } from './idle-slots.ts';
import { batchLaneForKey, laneForKey } from './lane.ts';
import type { LaneAccounts } from './lane-accounts.ts';
import { type AdmissionResult, Lease, type LeaseRequest } from './lease.ts';
import { RetryAfterEstimator } from './retry-after.ts';
import { type LaneSettings, NO_USER, type Waiter } from './waiter.ts';

type Outcome = Exclude<AdmissionResult['outcome'], 'moved'>;
type OutcomeCounts = Record<Outcome, number>;

/** Read whenever they apply, so that they may change. */
export interface SchedulerLimits extends QueueLimits {
  readonly timeoutMs: number;
}

export interface SchedulerOptions {
  readonly limits: SchedulerLimits;
  /** Whether a lease stands for slots of the backend; the default. */
  readonly leasesSlots?: boolean;
  /** For requests that need no slot. Those that wait there, and the outcomes there, are included in the numbers of this one. */
  readonly countingScheduler?: Scheduler;
  /** What lanes have at all engines; undefined with one engine. */
  readonly accounts?: LaneAccounts | undefined;
  /** The schedulers of the other engines of the model, which share its limits; undefined with one engine. */
  readonly peers?: (() => readonly Scheduler[]) | undefined;
  /** Whether requests that wait at the peers may get its slots; by default never. */
  readonly mayServePeers?: (() => boolean) | undefined;
  /** The most slots that batches may use; undefined for the default. */
  readonly batchSlots?: number | undefined;
  /** Called when a request begins or ends to wait, or a lease goes out or comes back. */
  readonly onChange?: (() => void) | undefined;
}

class Candidate implements Waiter {
  readonly lane: LaneSettings;
  readonly slots: number;
  readonly cost: number;
  readonly requeued: boolean;
  readonly since: number;
  /** Set while it waits. */
  end: (result: AdmissionResult) => void = () => {};

  constructor({ lane, slots, cost = slots, requeued = false, since }: LeaseRequest) {
    this.since = since ?? performance.now();
    this.lane = lane;
    this.slots = slots;
    this.cost = cost;
    this.requeued = requeued;
  }
}

class LineCandidate extends Candidate {
  readonly line: Preemptible;

  constructor(request: LeaseRequest, line: Preemptible) {
    super(request);
    this.line = line;
  }
}

const SHUTDOWN_RETRY_MS = 1000;

/** Decides for each request: a lease now, a place in the queue, or a rejection. The one owner of the queue. */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #onChange: (() => void) | undefined;
  readonly #leasesSlots: boolean;
  readonly #queue: FairQueue<Candidate>;
  readonly #batchSlots: number | undefined;
  /** Undefined until the first line of a batch. */
  #idleSlots: IdleSlots<LineCandidate> | undefined;
  readonly #retryAfter = new RetryAfterEstimator();
  readonly #countingScheduler: Scheduler | undefined;
  readonly #outcomes: Map<number, OutcomeCounts>;
  #isDraining = false;
  #closed: 'draining' | 'lost' | undefined;
  #leasesOut = 0;
  /** Since when no slot has been returned although requests wait, `performance.now()`. */
  #stuckSince = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: SchedulerOptions) {
    const {
      limits,
      leasesSlots = true,
      countingScheduler,
      accounts,
      peers,
      mayServePeers,
      batchSlots,
      onChange,
    } = options;
    this.#limits = limits;
    this.#onChange = onChange;
    this.#countingScheduler = countingScheduler;
    this.#outcomes = countingScheduler === undefined ? new Map() : countingScheduler.#outcomes;
    this.#leasesSlots = leasesSlots;
    this.#batchSlots = batchSlots;
    const queues = peers && (() => peers().map((peer) => peer.#queue));
    const onGrants = (grants: readonly Grant<Candidate>[]) => {
      this.#grant(grants);
      this.#settle();
    };
    this.#queue = new FairQueue(limits, accounts, queues, onGrants, mayServePeers);
  }

  /** Lines of batches are not among those that wait. */
  get counts(): QueueCounts {
    const { capacity, leased, waiting } = this.#queue.counts;
    return {
      capacity,
      leased: leased + (this.#idleSlots?.leased ?? 0),
      waiting: waiting + (this.#countingScheduler?.counts.waiting ?? 0),
    };
  }

  /** The slots that batches may use, those that they use, and the lines that wait for one. */
  get batches(): QueueCounts {
    const { leased = 0, waiting = [] } = this.#idleSlots ?? {};
    return { capacity: slotsForBatches(this.capacity, this.#batchSlots), leased, waiting: waiting.length };
  }

  /** Slots; 0 while no backend can serve requests. */
  get capacity(): number {
    return this.#queue.capacity;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many requests each outcome has had so far, by the weight of their lanes. Includes the counting scheduler. */
  get outcomes(): ReadonlyMap<number, Readonly<OutcomeCounts>> {
    return this.#outcomes;
  }

  /** How many leases are out. */
  get leasesOut(): number {
    return this.#leasesOut;
  }

  /** Since when the request that has waited longest does so, `performance.now()`; undefined if none waits. */
  get oldestSince(): number | undefined {
    const times = this.#queue.waiting.map(({ since }) => since);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** How many leases were granted so far. */
  get granted(): number {
    let granted = 0;
    for (const counts of this.#outcomes.values()) granted += counts.granted;
    return granted;
  }

  /** How many requests wait, by the weight of their lanes. Without lines of batches. */
  get waitingByWeight(): ReadonlyMap<number, number> {
    const counts = new Map(this.#countingScheduler?.waitingByWeight);
    for (const { lane } of this.#queue.waiting) counts.set(lane.weight, (counts.get(lane.weight) ?? 0) + 1);
    return counts;
  }

  /** At once where it can; a promise for a request that waits. */
  admit(request: LeaseRequest): AdmissionResult | Promise<AdmissionResult> {
    const result = this.#decide(request);
    if (result instanceof Promise) return result.then((it) => this.#counted(request, it));
    return this.#counted(request, result);
  }

  /** A key has other limits now, which apply to its requests that wait, too. */
  updateKey(key: Key): void {
    this.#grant(this.#queue.updateLane(laneForKey(key, NO_USER)));
    if (this.#idleSlots !== undefined) this.#grant(this.#idleSlots.updateLane(batchLaneForKey(key, NO_USER)));
    this.#settle();
  }

  /** The slots of the backend while it is ready, 0 while it is not, so that all new requests queue. */
  setCapacity(capacity: number): void {
    if (capacity === this.capacity) return;
    this.#grant(this.#queue.setCapacity(capacity));
    this.#settle();
  }

  /**
   * Rejects waiting and new requests. Those that hold a lease, or lost it with their engine, go on; lines of batches that
   * lost it are sent again by their runner.
   */
  drain(): void {
    this.#isDraining = true;
    const newcomers = this.#allWaiting.filter((it) => it instanceof LineCandidate || !it.requeued);
    // From the back, so that nobody moves up.
    for (const candidate of newcomers.reverse()) {
      this.#dismiss(candidate, { outcome: 'draining', retryAfterMs: SHUTDOWN_RETRY_MS });
    }
  }

  /**
   * Rejects all waiting and new requests, requeued ones included: the gateway ends (`draining`), or the engine will not
   * come back (`lost`).
   */
  close(reason: 'draining' | 'lost'): void {
    this.#closed ??= reason;
    for (const candidate of this.#allWaiting.reverse()) {
      this.#dismiss(candidate, { outcome: this.#closed, retryAfterMs: SHUTDOWN_RETRY_MS });
    }
  }

  /** The engine may come back after all: ends what `close('lost')` began. */
  reopen(): void {
    if (this.#closed === 'lost') this.#closed = undefined;
  }

  /** Sends all that wait to another engine. */
  moveAll(): void {
    // From the back, so that each can go to the head of its lane there.
    for (const candidate of this.#allWaiting.reverse()) this.#move(candidate);
  }

  /** Grants free slots to requests that wait at other engines. To be called when they may have changed. */
  servePeers(): void {
    this.#queue.grantNext();
  }

  /** Sends the next of the lines of batches that wait to another engine, this many. */
  moveLines(count: number): void {
    for (let moved = 0; moved < count; moved++) {
      const next = this.#idleSlots?.next;
      if (next === undefined) return;
      this.#move(next);
    }
  }

  /** Cuts off the lines of batches that may be, as nothing else is to wait for them. */
  preemptBatches(): void {
    this.#idleSlots?.preemptAll();
  }

  /** Resolves when no lease is out. */
  async whenIdle(): Promise<void> {
    if (this.#leasesOut === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #decide(request: LeaseRequest): AdmissionResult | Promise<AdmissionResult> {
    if (request.signal.aborted) return { outcome: 'left' };
    if (this.#closed) return { outcome: this.#closed, retryAfterMs: SHUTDOWN_RETRY_MS };
    if (this.#isDraining && (!request.requeued || request.line !== undefined))
      return { outcome: 'draining', retryAfterMs: SHUTDOWN_RETRY_MS };
    if (request.line !== undefined) return this.#decideLine(request, request.line);
    const candidate = new Candidate(request);
    const entry = this.#queue.enqueue(candidate);
    if (entry.outcome === 'granted') return this.#granted(entry.grant, entry.further);
    if (entry.outcome === 'full') return { outcome: 'full', retryAfterMs: this.#retryAfterMs() };
    entry.evicted?.end({ outcome: 'full', retryAfterMs: this.#retryAfterMs() });
    if (this.#queue.counts.waiting === 1) this.#stuckSince = candidate.since;
    request.onQueued?.(() => ({
      position: this.#queue.positionOf(candidate),
      waiting: this.counts.waiting,
    }));
    this.#settle();
    this.#onChange?.();
    const timeoutMs = candidate.since + this.#limits.timeoutMs - performance.now();
    return this.#wait(candidate, request.signal, timeoutMs);
  }

  #decideLine(request: LeaseRequest, line: Preemptible): AdmissionResult | Promise<AdmissionResult> {
    this.#idleSlots ??= new IdleSlots(this.#queue, this.#batchSlots);
    const candidate = new LineCandidate(request, line);
    const [grant, ...further] = this.#idleSlots.enqueue(candidate);
    if (grant !== undefined) return this.#granted(grant, further);
    this.#onChange?.();
    return this.#wait(candidate, request.signal, undefined);
  }

  #granted(grant: Grant<Candidate>, further: readonly Grant<Candidate>[]): AdmissionResult {
    const lease = this.#createLease(grant);
    this.#grant(further);
    return { outcome: 'granted', lease };
  }

  #move(candidate: Candidate): void {
    this.#dismiss(candidate, { outcome: 'moved', since: candidate.since });
  }

  /** `timeoutMs`: undefined for a line of a batch, which waits for as long as it takes. */
  async #wait(
    candidate: Candidate,
    signal: CancelSignal,
    timeoutMs: number | undefined,
  ): Promise<AdmissionResult> {
    const { promise, resolve } = Promise.withResolvers<AdmissionResult>();
    candidate.end = resolve;
    const onAbort = () => this.#dismiss(candidate, { outcome: 'left' });
    const onTimeout = () =>
      this.#dismiss(candidate, { outcome: 'timed-out', retryAfterMs: this.#retryAfterMs() });
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Leaves the lane first and ends after that: a request in a lane can still be granted a lease. */
  #dismiss(candidate: Candidate, result: AdmissionResult): void {
    const [wasQueued, grants] = this.#remove(candidate);
    this.#grant(grants);
    this.#settle();
    if (!wasQueued) return;
    candidate.end(result);
    this.#onChange?.();
  }

  #remove(candidate: Candidate): readonly [boolean, readonly Grant<Candidate>[]] {
    if (!(candidate instanceof LineCandidate)) return this.#queue.remove(candidate);
    return this.#idleSlots?.remove(candidate) ?? [false, []];
  }

  /** The requests that wait, lines of batches last. */
  get #allWaiting(): Candidate[] {
    const { waiting } = this.#queue;
    return this.#idleSlots === undefined ? waiting : [...waiting, ...this.#idleSlots.waiting];
  }

  /** After a change of the queue: lines of batches get slots that are idle now, or give some back. */
  #settle(): void {
    if (this.#idleSlots !== undefined) this.#grant(this.#idleSlots.settle());
  }

  #grant(grants: readonly Grant<Candidate>[]): void {
    for (const grant of grants) grant.waiter.end({ outcome: 'granted', lease: this.#createLease(grant) });
  }

  #createLease(grant: Grant<Candidate>): Lease {
    this.#leasesOut += 1;
    const { slots, waiter } = grant;
    this.#count(waiter.lane, 'granted');
    const grantedAt = performance.now();
    this.#onChange?.();
    return new Lease(this, this.#leasesSlots ? slots : 0, grantedAt - waiter.since, () => {
      this.#onReturned(grant, grantedAt);
    });
  }

  #onReturned(grant: Grant<Candidate>, grantedAt: number): void {
    this.#leasesOut -= 1;
    if (grant.waiter instanceof LineCandidate) this.#releaseLine(grant as Grant<LineCandidate>);
    else this.#release(grant, grantedAt);
    this.#settle();
    if (this.#leasesOut === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.#onChange?.();
  }

  #release(grant: Grant<Candidate>, grantedAt: number): void {
    const now = performance.now();
    this.#retryAfter.addServiceTime(now - grantedAt);
    this.#stuckSince = now;
    this.#grant(this.#queue.release(grant));
    if (this.#hasFreeSlot) this.#retryAfter.reset();
  }

  /** How long a line has held its slots says nothing about clients, whose turn it is first. */
  #releaseLine(grant: Grant<LineCandidate>): void {
    this.#idleSlots?.release(grant);
    this.#queue.grantNext();
  }

  /** Whether the next request is served at once. */
  get #hasFreeSlot(): boolean {
    const { waiting, leased, capacity } = this.#queue.counts;
    return waiting === 0 && leased < capacity;
  }

  /** The queue moves by one place whenever a slot becomes free. While none does for longer than usual, the standstill counts. */
  #retryAfterMs(): number {
    const now = performance.now();
    const stuckMs = this.#queue.counts.waiting > 0 ? now - this.#stuckSince : 0;
    return this.#retryAfter.next(now, this.counts.capacity, stuckMs);
  }

  /** Grants are counted where they are made, which may be at another engine. */
  #counted({ lane }: LeaseRequest, result: AdmissionResult): AdmissionResult {
    const { outcome } = result;
    if (outcome !== 'granted' && outcome !== 'moved') this.#count(lane, outcome);
    return result;
  }

  #count({ weight }: LaneSettings, outcome: Outcome): void {
    let counts = this.#outcomes.get(weight);
    if (counts === undefined) {
      counts = { granted: 0, full: 0, 'timed-out': 0, draining: 0, lost: 0, left: 0 };
      this.#outcomes.set(weight, counts);
    }
    counts[outcome] += 1;
  }
}
