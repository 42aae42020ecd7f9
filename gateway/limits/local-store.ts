import type { CounterResult, RefundableStore } from './counter-store.ts';

interface Window {
  taken: number;
  /** `performance.now()` ms: no change of the clock makes a window longer or shorter. */
  readonly ends: number;
}

/** Buckets in the memory of this process. A key has one as long as its window lasts. */
export class LocalStore implements RefundableStore {
  readonly #windowMs: number;
  /** In the order of their ends, as all last equally long. */
  readonly #windows = new Map<string, Window>();

  constructor(windowSeconds: number) {
    this.#windowMs = windowSeconds * 1000;
  }

  async consume(bucket: string, points: number, limit: number): Promise<CounterResult> {
    const now = performance.now();
    this.#forgetEnded(now);
    const known = this.#windows.get(bucket);
    const window = known ?? { taken: 0, ends: now + this.#windowMs };
    const fits = window.taken + points <= limit;
    if (fits && points > 0) {
      window.taken += points;
      if (known === undefined) this.#windows.set(bucket, window);
    }
    const { taken, ends } = window;
    const resetMs = Math.min(Math.ceil(ends - now), this.#windowMs);
    return { fits, used: taken, resetMs, windowEnds: ends, store: this };
  }

  async adjust(bucket: string, points: number): Promise<void> {
    const now = performance.now();
    this.#forgetEnded(now);
    const known = this.#windows.get(bucket);
    if (known !== undefined) known.taken = Math.max(known.taken + points, 0);
    else if (points > 0) this.#windows.set(bucket, { taken: points, ends: now + this.#windowMs });
  }

  #forgetEnded(now: number): void {
    for (const [bucket, { ends }] of this.#windows) {
      if (ends > now) return;
      this.#windows.delete(bucket);
    }
  }
}
