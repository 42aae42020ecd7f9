import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { FairQueue, type Grant, type QueueCounts, type QueueLimits } from './fair-queue.ts';
import type { LaneSettings, Waiter } from './lane.ts';
import type { LaneAccounts } from './lane-accounts.ts';
import { RetryAfterEstimator } from './retry-after.ts';

export interface LeaseRequest {
  readonly lane: LaneSettings;
  /** Sequences that the backend will decode for it. */
  readonly slots: number;
  /** Its cost to the lane, if that is not the number of its slots. */
  readonly cost?: number;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** It had a lease before and lost its backend: it goes first in its lane, even if the queue is full. */
  readonly requeued?: boolean;
  /** When it began to wait, if it waited at another engine before, `performance.now()` ms. */
  readonly since?: number;
  /** Called if the request has to queue, with a function that returns its current position. */
  readonly onQueued?: ((position: () => QueuePosition) => void) | undefined;
}

export interface QueuePosition {
  /** From 1; 0 for a request that does not wait any more. */
  readonly position: number;
  readonly waiting: number;
}

export type AdmissionResult =
  | { readonly outcome: 'granted'; readonly lease: Lease }
  | {
      readonly outcome: 'full' | 'timed-out' | 'draining' | 'lost';
      /** When it makes sense to try again. */
      readonly retryAfterMs: number;
    }
  | { readonly outcome: 'left' }
  /** Its engine serves no more, but another one of the model does: it has to be admitted there. */
  | { readonly outcome: 'moved'; readonly since: number };

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
  /** Those of the other engines of the model, which have the limits in common; undefined with one engine. */
  readonly peers?: (() => readonly Scheduler[]) | undefined;
  /** Whether requests that wait at the peers may get its slots; by default never. */
  readonly mayServePeers?: (() => boolean) | undefined;
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

/**
 * A claim on slots by one request. It belongs to the exchange with the backend, not to the handler, and is returned exactly
 * once, when the backend has released the slots: `using lease = …`, or dispose of it by hand.
 */
export class Lease implements Disposable {
  /** Of the engine whose slots they are: another one than where the request has waited, if that was sooner. */
  readonly scheduler: Scheduler;
  readonly slots: number;
  readonly waitedMs: number;
  #onReturn: (() => void) | undefined;
  #keptUntil: Promise<void> | undefined;

  constructor(scheduler: Scheduler, slots: number, waitedMs: number, onReturn: () => void) {
    this.scheduler = scheduler;
    this.slots = slots;
    this.waitedMs = waitedMs;
    this.#onReturn = onReturn;
  }

  /** If the lease is disposed of earlier, it is returned when `released` resolves. */
  keepUntil(released: Promise<void>): void {
    this.#keptUntil = released;
  }

  [Symbol.dispose](): void {
    const onReturn = this.#onReturn;
    this.#onReturn = undefined;
    if (this.#keptUntil === undefined) onReturn?.();
    else this.#keptUntil.then(onReturn).catch(recordUnhandledError);
  }
}

const SHUTDOWN_RETRY_MS = 1000;

/** Decides for each request: a lease now, a place in the queue, or a rejection. The one owner of the queue. */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #onChange: (() => void) | undefined;
  readonly #leasesSlots: boolean;
  readonly #queue: FairQueue<Candidate>;
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
      onChange,
    } = options;
    this.#limits = limits;
    this.#onChange = onChange;
    this.#countingScheduler = countingScheduler;
    this.#outcomes = countingScheduler === undefined ? new Map() : countingScheduler.#outcomes;
    this.#leasesSlots = leasesSlots;
    const queues = peers && (() => peers().map((peer) => peer.#queue));
    const onGrants = (grants: readonly Grant<Candidate>[]) => this.#grant(grants);
    this.#queue = new FairQueue(limits, accounts, queues, onGrants, mayServePeers);
  }

  get counts(): QueueCounts {
    const { waiting, ...slots } = this.#queue.counts;
    return { ...slots, waiting: waiting + (this.#countingScheduler?.counts.waiting ?? 0) };
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

  /** How many requests wait, by the weight of their lanes. */
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

  /** The slots of the backend while it is ready, 0 while it is not, so that all new requests queue. */
  setCapacity(capacity: number): void {
    if (capacity !== this.counts.capacity) this.#grant(this.#queue.setCapacity(capacity));
  }

  /** Rejects waiting and new requests. Those that hold a lease, or lost it with their engine, go on. */
  drain(): void {
    this.#isDraining = true;
    const newcomers = this.#queue.waiting.filter(({ requeued }) => !requeued);
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
    for (const candidate of this.#queue.waiting.reverse()) {
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
    for (const candidate of this.#queue.waiting.reverse()) {
      this.#dismiss(candidate, { outcome: 'moved', since: candidate.since });
    }
  }

  /** Grants free slots to requests that wait at other engines. To be called when they may have changed. */
  servePeers(): void {
    this.#queue.grantNext();
  }

  /** Resolves when no lease is out. */
  async whenIdle(): Promise<void> {
    if (this.#leasesOut === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    await promise;
  }

  #decide(request: LeaseRequest): AdmissionResult | Promise<AdmissionResult> {
    if (request.signal.aborted) return { outcome: 'left' };
    if (this.#closed) return { outcome: this.#closed, retryAfterMs: SHUTDOWN_RETRY_MS };
    if (this.#isDraining && !request.requeued)
      return { outcome: 'draining', retryAfterMs: SHUTDOWN_RETRY_MS };
    const candidate = new Candidate(request);
    const entry = this.#queue.enqueue(candidate);
    if (entry.outcome === 'granted') return { outcome: 'granted', lease: this.#createLease(entry.grant) };
    if (entry.outcome === 'full') return { outcome: 'full', retryAfterMs: this.#retryAfterMs() };
    entry.evicted?.end({ outcome: 'full', retryAfterMs: this.#retryAfterMs() });
    if (this.#queue.counts.waiting === 1) this.#stuckSince = candidate.since;
    request.onQueued?.(() => ({
      position: this.#queue.positionOf(candidate),
      waiting: this.counts.waiting,
    }));
    this.#onChange?.();
    return this.#wait(candidate, request.signal);
  }

  async #wait(candidate: Candidate, signal: AbortSignal): Promise<AdmissionResult> {
    const { promise, resolve } = Promise.withResolvers<AdmissionResult>();
    candidate.end = resolve;
    const onAbort = () => this.#dismiss(candidate, { outcome: 'left' });
    const onTimeout = () =>
      this.#dismiss(candidate, { outcome: 'timed-out', retryAfterMs: this.#retryAfterMs() });
    const timer = setTimeout(onTimeout, candidate.since + this.#limits.timeoutMs - performance.now());
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
    const [wasQueued, grants] = this.#queue.remove(candidate);
    this.#grant(grants);
    if (!wasQueued) return;
    candidate.end(result);
    this.#onChange?.();
  }

  #grant(grants: readonly Grant<Candidate>[]): void {
    for (const grant of grants) grant.waiter.end({ outcome: 'granted', lease: this.#createLease(grant) });
  }

  #createLease(grant: Grant<Candidate>): Lease {
    this.#leasesOut += 1;
    const { slots, waiter } = grant;
    const grantedAt = performance.now();
    this.#onChange?.();
    return new Lease(this, this.#leasesSlots ? slots : 0, grantedAt - waiter.since, () => {
      this.#onReturned(grant, grantedAt);
    });
  }

  #onReturned(grant: Grant<Candidate>, grantedAt: number): void {
    const now = performance.now();
    this.#retryAfter.addServiceTime(now - grantedAt);
    this.#leasesOut -= 1;
    this.#stuckSince = now;
    this.#grant(this.#queue.release(grant));
    if (this.#hasFreeSlot) this.#retryAfter.reset();
    if (this.#leasesOut === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.#onChange?.();
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

  #counted({ lane }: LeaseRequest, result: AdmissionResult): AdmissionResult {
    if (result.outcome === 'moved') return result;
    const outcomes = result.outcome === 'granted' ? result.lease.scheduler.#outcomes : this.#outcomes;
    let counts = outcomes.get(lane.weight);
    if (counts === undefined) {
      counts = { granted: 0, full: 0, 'timed-out': 0, draining: 0, lost: 0, left: 0 };
      outcomes.set(lane.weight, counts);
    }
    counts[result.outcome] += 1;
    return result;
  }
}

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
