import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { Slab } from '../slab.ts';

/** Between two requests for the backend's count, ms. */
const POLL_INTERVAL = 20;

/**
 * The same where only requests without a stream were aborted. llama-server checks for the client of such a request after a
 * second in which nobody received a result, and each response to us is one.
 */
const POLL_INTERVAL_WITHOUT_STREAM = 1250;

/** Exchanges that had ended when the backend counted are reported here a little later, ms. */
const END_REPORTED_WITHIN = 5;

/**
 * How many slots the backend works on or has queued, by its own count.
 * unreachable: there is no engine that could hold any · timed-out: no response in time · unsupported: it does not publish
 * the count (llama-server without `--metrics`).
 */
export type BusySlots = number | 'unreachable' | 'timed-out' | 'unsupported';

/** Goes through llama-server's task queue, so the count is as of between two batches. */
export async function fetchBusySlots(backend: Backend, timeoutMs = 1000): Promise<BusySlots> {
  const response = await requestBackend(backend, { path: '/metrics', timeoutMs });
  if (response.outcome !== 'responded') return response.outcome;
  // It loads a model: its earlier requests are gone.
  if (response.status === 503) return 'unreachable';
  const [processing, deferred] = ['processing', 'deferred'].map((name) => readGauge(response.body, name));
  return processing === undefined ? 'unsupported' : processing + (deferred ?? 0);
}

function readGauge(metrics: string, name: string): number | undefined {
  const value = new RegExp(`^llamacpp:requests_${name} (\\d+)`, 'm').exec(metrics)?.[1];
  return value === undefined ? undefined : Number(value);
}

export interface SlotTrackerOptions {
  readonly fetchBusySlots: () => Promise<BusySlots>;
  /** The backend worked on an aborted request longer than its lease is kept. */
  readonly onTimeout: (heldMs: number) => void;
  /** How long that is. */
  readonly timeoutMs?: number;
}

/** The part of a lease that is needed here. */
export interface TrackedLease {
  readonly slots: number;
  keepUntil(released: Promise<void>): void;
}

/** The use of slots by one exchange. */
export class SlotUse implements SlotHolder {
  readonly slots: number;
  readonly isStream: boolean;
  readonly sentAt = performance.now();
  startedAt: number | undefined = undefined;
  abortedAt: number | undefined = undefined;
  /** Among the holders of the tracker; undefined if it is none. */
  key: number | undefined = undefined;
  readonly #lease: TrackedLease;
  readonly #onEnd: (use: SlotUse, how: 'complete' | 'aborted') => void;
  #onRelease: (() => void) | undefined = undefined;

  constructor(
    lease: TrackedLease,
    isStream: boolean,
    onEnd: (use: SlotUse, how: 'complete' | 'aborted') => void,
  ) {
    this.slots = lease.slots;
    this.isStream = isStream;
    this.#lease = lease;
    this.#onEnd = onEnd;
  }

  /** The head of the response has arrived. */
  start(): void {
    this.startedAt ??= performance.now();
  }

  /** The exchange is over. If it was aborted, its lease is kept until the backend has released the slots. */
  end(how: 'complete' | 'aborted'): void {
    this.#onEnd(this, how);
  }

  /** The lease is returned when `release` is called. */
  keepLease(): void {
    this.abortedAt = performance.now();
    this.#lease.keepUntil(
      new Promise((resolve) => {
        this.#onRelease = resolve;
      }),
    );
  }

  release(): void {
    this.#onRelease?.();
  }
}

/**
 * Tracks which requests hold slots of the backend, and which may still hold some: llama-server notices a closed connection
 * only when it next writes to it. One request for the count serves all that wait.
 */
export class SlotTracker {
  readonly #options: SlotTrackerOptions;
  readonly #holders = new Slab<SlotUse>();
  #isPolling = false;

  constructor(options: SlotTrackerOptions) {
    this.#options = options;
  }

  /** A request is sent to the backend, under a lease. */
  track(lease: TrackedLease, isStream: boolean): SlotUse {
    const use = new SlotUse(lease, isStream, this.#onEnd);
    if (lease.slots > 0) use.key = this.#holders.insert(use);
    return use;
  }

  readonly #onEnd = (use: SlotUse, how: 'complete' | 'aborted'): void => {
    if (how === 'complete' || use.slots === 0) {
      this.#remove(use);
      return;
    }
    use.keepLease();
    if (!this.#isPolling) this.#pollUntilAllAreReleased().catch(recordUnhandledError);
  };

  async #pollUntilAllAreReleased(): Promise<void> {
    this.#isPolling = true;
    try {
      while (this.#aborted.length > 0) {
        await this.#poll();
        if (this.#aborted.length > 0) await sleep(this.#pollInterval, undefined, { ref: false });
      }
    } finally {
      this.#isPolling = false;
    }
  }

  get #aborted(): SlotUse[] {
    return [...this.#holders].filter(({ abortedAt }) => abortedAt !== undefined);
  }

  get #pollInterval(): number {
    return this.#aborted.some(({ isStream }) => isStream) ? POLL_INTERVAL : POLL_INTERVAL_WITHOUT_STREAM;
  }

  async #poll(): Promise<void> {
    const askedAt = performance.now();
    // A failed request says nothing about the slots. The timeout releases them in the end.
    const busy = await this.#options.fetchBusySlots().catch((): BusySlots => 'timed-out');
    await sleep(END_REPORTED_WITHIN, undefined, { ref: false });
    for (const holder of this.#releasedBy(busy, askedAt)) this.#release(holder);
    for (const holder of this.#aborted) this.#releaseIfOverdue(holder);
  }

  #releasedBy(busy: BusySlots, askedAt: number): readonly SlotUse[] {
    if (busy === 'timed-out') return [];
    return typeof busy === 'string' ? this.#aborted : releasedSlots(this.#holders, busy, askedAt);
  }

  #releaseIfOverdue(holder: SlotUse): void {
    const { onTimeout, timeoutMs = 3000 } = this.#options;
    const heldMs = performance.now() - (holder.abortedAt ?? 0);
    if (heldMs < timeoutMs) return;
    onTimeout(heldMs);
    this.#release(holder);
  }

  #release(holder: SlotUse): void {
    this.#remove(holder);
    holder.release();
  }

  #remove(holder: SlotUse): void {
    if (holder.key === undefined) return;
    this.#holders.remove(holder.key);
    holder.key = undefined;
  }
}

export function createSlotTracker(backend: Backend, log: Log): SlotTracker {
  return new SlotTracker({
    fetchBusySlots: () => fetchBusySlots(backend),
    onTimeout: (heldMs) =>
      log.debug({ heldMs: Math.round(heldMs) }, 'the backend still works on an aborted request'),
  });
}

/** A request that holds slots of the backend, as far as the gateway can tell. Times are `performance.now()`. */
export interface SlotHolder {
  readonly slots: number;
  readonly sentAt: number;
  /** When the head of its response came. That of a stream comes when its slot has started. */
  startedAt: number | undefined;
  /** When its exchange was aborted. */
  abortedAt: number | undefined;
}

/** How long a request may be in transit before the backend counts it, and may still arrive after it was aborted. */
const MAX_TRANSIT_MS = 100;

/**
 * Which aborted requests the backend has released, if it was working on `busy` slots at some time after `askedAt`. That
 * number says nothing about which requests: slots that the running ones do not explain may belong to any of the aborted
 * ones, so that many stay taken. A request too young to be surely counted explains nothing and is not released. No
 * slot is released too early.
 */
export function releasedSlots<H extends SlotHolder>(
  holders: Iterable<H>,
  busy: number,
  askedAt: number,
): H[] {
  const counted = [...holders].filter((holder) => isSurelyCounted(holder, askedAt));
  const aborted = counted.filter(({ abortedAt }) => abortedAt !== undefined);
  const running = counted.filter(({ abortedAt }) => abortedAt === undefined);
  const unexplained = Math.max(busy - sumSlots(running), 0);
  let free = sumSlots(aborted) - unexplained;
  return aborted.filter(({ slots }) => {
    const isReleased = slots <= free;
    if (isReleased) free -= slots;
    return isReleased;
  });
}

function isSurelyCounted({ startedAt, abortedAt, sentAt }: SlotHolder, askedAt: number): boolean {
  if (startedAt !== undefined) return startedAt <= askedAt;
  return (abortedAt ?? sentAt) + MAX_TRANSIT_MS <= askedAt;
}

const sumSlots = (holders: readonly SlotHolder[]) => holders.reduce((sum, { slots }) => sum + slots, 0);
