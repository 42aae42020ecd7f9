import { FairQueue, type Grant, type QueueCounts, type QueueLimits } from './fair-queue.ts';
import type { LaneSettings, Waiter } from './lane.ts';
import { Lease } from './lease.ts';
import { OutcomeCounts } from './outcome-counts.ts';
import { createRecentServiceTime } from './recent-service-time.ts';
import { RetryAfterEstimator } from './retry-after-estimator.ts';

export interface LeaseRequest {
  readonly lane: LaneSettings;
  /** Sequences that the backend will decode for it. */
  readonly slots: number;
  /** What it takes of its lane's due, where that is not its weight. */
  readonly cost?: number;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** It had a lease before and lost its backend: it goes first in its lane, and finds room there. */
  readonly requeued?: boolean;
  /** Called where the request has to wait, with a way to ask for its place. */
  readonly onQueued?: (place: () => QueuePosition) => void;
}

/** Where a request stands: `ahead` of all `waiting`, from 1. */
export interface QueuePosition {
  readonly position: number;
  readonly waiting: number;
}

/** How an admission ends. All but the first come with the time after which trying again makes sense. */
export type AdmissionResult =
  | { readonly outcome: 'granted'; readonly lease: Lease }
  | { readonly outcome: 'full' | 'timed-out' | 'draining' | 'lost'; readonly retryAfterMs: number }
  | { readonly outcome: 'left' };

export interface SchedulerOptions extends QueueLimits {
  readonly timeoutMs: number;
  /** Whether what is leased are slots of the backend; the default. */
  readonly leasesSlots?: boolean;
  /** Of what needs no slot: who waits there is counted with those who wait here. */
  readonly beside?: Scheduler;
}

interface Candidate extends Waiter {
  readonly since: number;
  readonly requeued: boolean;
  readonly end: (admitted: AdmissionResult) => void;
}

/** Decides for each request: a lease now, a wait in its lane, or a refusal. The one owner of the lanes. */
export class Scheduler {
  readonly #timeoutMs: number;
  readonly #leasesSlots: boolean;
  readonly #lanes: FairQueue<Candidate>;
  readonly #serviceTime = createRecentServiceTime();
  readonly #appointments = new RetryAfterEstimator();
  readonly #beside: Scheduler | undefined;
  readonly #tally: OutcomeCounts;
  #draining = false;
  #shut: 'draining' | 'lost' | undefined;
  #leasesOut = 0;
  /** Since when no slot has come back though somebody waits, `performance.now()`. */
  #stuckSince = 0;
  #onSettled: (() => void)[] = [];

  constructor({ timeoutMs, leasesSlots = true, beside, ...bounds }: SchedulerOptions) {
    this.#timeoutMs = timeoutMs;
    this.#beside = beside;
    this.#tally = beside === undefined ? new OutcomeCounts() : beside.#tally;
    this.#leasesSlots = leasesSlots;
    this.#lanes = new FairQueue(bounds);
  }

  get counts(): QueueCounts {
    const { waiting, ...slots } = this.#lanes.counts;
    return { ...slots, waiting: waiting + (this.#beside?.counts.waiting ?? 0) };
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** How admissions ended so far. */
  get outcomes(): Pick<OutcomeCounts, 'granted' | 'byWeight'> {
    return this.#tally;
  }

  /** How many wait, by the share of their lanes. */
  get waitingByWeight(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const [share, count] of this.#beside?.waitingByWeight ?? []) counts.set(share, count);
    for (const { lane } of this.#lanes.waiting) counts.set(lane.weight, (counts.get(lane.weight) ?? 0) + 1);
    return counts;
  }

  async admit(claim: LeaseRequest): Promise<AdmissionResult> {
    const admitted = await this.#decide(claim);
    this.#tally.add(claim.lane.weight, admitted.outcome);
    return admitted;
  }

  /** Follows the backend: its slots while it is ready, 0 while it is not, so that all who come wait. */
  setCapacity(capacity: number): void {
    if (capacity !== this.counts.capacity) this.#tell(this.#lanes.setCapacity(capacity));
  }

  /** Nothing new from here on: who waits is sent away; who holds a lease, or held one that the engine's end took, goes on. */
  drain(): void {
    this.#draining = true;
    const newcomers = this.#lanes.waiting.filter(({ requeued }) => !requeued);
    // From the back, so that nobody moves up.
    for (const candidate of newcomers.reverse()) {
      this.#dismiss(candidate, { outcome: 'draining', retryAfterMs: 1000 });
    }
  }

  /**
   * Nobody waits any more, those included who would come again: the gateway breaks off what is under way (`draining`), or
   * the engine will not come back (`lost`).
   */
  close(why: 'draining' | 'lost'): void {
    this.#shut ??= why;
    for (const candidate of this.#lanes.waiting.reverse()) {
      this.#dismiss(candidate, { outcome: this.#shut, retryAfterMs: 1000 });
    }
  }

  /** Settles when no lease is out. */
  async whenIdle(): Promise<void> {
    if (this.#leasesOut === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled.push(resolve);
    await promise;
  }

  async #decide(claim: LeaseRequest): Promise<AdmissionResult> {
    if (claim.signal.aborted) return { outcome: 'left' };
    if (this.#shut) return { outcome: this.#shut, retryAfterMs: 1000 };
    if (this.#draining && !claim.requeued) return { outcome: 'draining', retryAfterMs: 1000 };
    const { promise, resolve } = Promise.withResolvers<AdmissionResult>();
    const since = performance.now();
    const { lane: terms, slots: weight, cost = weight, requeued = false } = claim;
    const candidate: Candidate = { lane: terms, slots: weight, cost, since, requeued, end: resolve };
    const entered = this.#lanes.enqueue(candidate);
    if (entered.entry === 'granted') return { outcome: 'granted', lease: this.#leaseFor(entered.grant) };
    if (entered.entry === 'full') return { outcome: 'full', retryAfterMs: this.#retryAfterMs() };
    entered.displaced?.end({ outcome: 'full', retryAfterMs: this.#retryAfterMs() });
    if (this.#lanes.counts.waiting === 1) this.#stuckSince = since;
    claim.onQueued?.(() => ({ position: this.#lanes.positionOf(candidate), waiting: this.counts.waiting }));
    return this.#wait(candidate, promise, claim.signal);
  }

  async #wait(
    candidate: Candidate,
    promise: Promise<AdmissionResult>,
    signal: AbortSignal,
  ): Promise<AdmissionResult> {
    const onAbort = () => this.#dismiss(candidate, { outcome: 'left' });
    const onTimeout = () =>
      this.#dismiss(candidate, { outcome: 'timed-out', retryAfterMs: this.#retryAfterMs() });
    const timer = setTimeout(onTimeout, this.#timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Out of the lane first, told after: whoever stands in a lane can still be granted a lease. */
  #dismiss(candidate: Candidate, admitted: AdmissionResult): void {
    const [hasLeft, grants] = this.#lanes.remove(candidate);
    this.#tell(grants);
    if (hasLeft) candidate.end(admitted);
  }

  #tell(grants: readonly Grant<Candidate>[]): void {
    for (const grant of grants) grant.waiter.end({ outcome: 'granted', lease: this.#leaseFor(grant) });
  }

  #leaseFor(grant: Grant<Candidate>): Lease {
    const grantedAt = performance.now();
    this.#leasesOut += 1;
    const slots = this.#leasesSlots ? grant.slots : 0;
    return new Lease(slots, grantedAt - grant.waiter.since, () => {
      this.#serviceTime.add(performance.now() - grantedAt);
      this.#leasesOut -= 1;
      this.#stuckSince = performance.now();
      this.#tell(this.#lanes.release(grant));
      if (this.#hasRoom) this.#appointments.reset();
      if (this.#leasesOut === 0) for (const settle of this.#onSettled.splice(0)) settle();
    });
  }

  /** Whether the next one who comes is served at once. */
  get #hasRoom(): boolean {
    const { waiting, leased, capacity } = this.#lanes.counts;
    return waiting === 0 && leased < capacity;
  }

  /**
   * When to come back: the line moves by one place whenever one of the slots is free again. While none comes back for
   * longer than usual, that is what it takes.
   */
  #retryAfterMs(): number {
    const now = performance.now();
    const usualMs = this.#serviceTime.ms / Math.max(this.counts.capacity, 1);
    const stuckMs = this.#lanes.counts.waiting > 0 ? now - this.#stuckSince : 0;
    return this.#appointments.next(now, Math.max(usualMs, stuckMs));
  }
}
