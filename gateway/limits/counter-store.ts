/** The state of a bucket. Its window starts with its first points, and the bucket is empty after it. */
export interface CounterResult {
  /** Whether the points were taken: all of them, or none. */
  readonly fits: boolean;
  /** Points used in this window, including these where they fit. */
  readonly used: number;
  /** Until the end of the window, ms. */
  readonly resetMs: number;
  /** The end of the window, `performance.now()`; never later than it really is. */
  readonly windowEnds: number;
  /** The store that counted them: later adjustments go to the same one. */
  readonly store: RefundableStore;
}

export interface CounterStore {
  /** A promise only where another process counts. */
  consume(bucket: string, points: number, limit: number): CounterResult | Promise<CounterResult>;
  /** Makes room for others: what is counted in this process begins anew. */
  forget(bucket: string): void;
}

/** Counters in named buckets, each with a fixed window. */
export interface RefundableStore extends CounterStore {
  /** Adds points regardless of the limit. A negative number refunds points, at most those that are used. */
  adjust(bucket: string, points: number): void | Promise<void>;
}

/** Refunds points to the window they were taken from, unless it is over. */
export function refund(
  { store, windowEnds }: CounterResult,
  bucket: string,
  points: number,
): void | Promise<void> {
  return points > 0 && performance.now() < windowEnds ? store.adjust(bucket, -points) : undefined;
}

interface Window {
  used: number;
  /** `performance.now()` ms, so that no change of the clock shortens or extends a window. */
  readonly ends: number;
}

/** Counters in the memory of this process. A bucket exists as long as its window. */
export class LocalStore implements RefundableStore {
  readonly #windowMs: number;
  /** Sorted by their ends, as all have the same length. */
  readonly #windows = new Map<string, Window>();
  /** No window ends before. */
  #firstEnds = Number.POSITIVE_INFINITY;

  constructor(windowSeconds: number) {
    this.#windowMs = windowSeconds * 1000;
  }

  consume(bucket: string, points: number, limit: number): CounterResult {
    const now = performance.now();
    this.#deleteEnded(now);
    const known = this.#windows.get(bucket);
    const window = known ?? { used: 0, ends: now + this.#windowMs };
    const fits = window.used + points <= limit;
    if (fits && points > 0) {
      window.used += points;
      if (known === undefined) this.#open(bucket, window);
    }
    const { used, ends } = window;
    const resetMs = Math.min(Math.ceil(ends - now), this.#windowMs);
    return { fits, used, resetMs, windowEnds: ends, store: this };
  }

  adjust(bucket: string, points: number): void {
    const now = performance.now();
    this.#deleteEnded(now);
    const known = this.#windows.get(bucket);
    if (known !== undefined) known.used = Math.max(known.used + points, 0);
    else if (points > 0) this.#open(bucket, { used: points, ends: now + this.#windowMs });
  }

  forget(bucket: string): void {
    this.#windows.delete(bucket);
  }

  #open(bucket: string, window: Window): void {
    this.#windows.set(bucket, window);
    this.#firstEnds = Math.min(this.#firstEnds, window.ends);
  }

  #deleteEnded(now: number): void {
    if (now < this.#firstEnds) return;
    this.#firstEnds = Number.POSITIVE_INFINITY;
    for (const [bucket, { ends }] of this.#windows) {
      if (ends > now) {
        this.#firstEnds = ends;
        return;
      }
      this.#windows.delete(bucket);
    }
  }
}
