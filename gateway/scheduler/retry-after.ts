/** Clients come back a little late, and service times vary: a short wait in the queue is better than a second rejection. */
const MARGIN = 1.5;
/** No client has to wait longer than this before its next attempt, ms: SDKs ignore more (errors/catalogue.ts). */
const HORIZON = 60_000;
/** The fractional parts of its multiples are spread evenly between 0 and 1, however many there are. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
/** Enough samples for a steady median, few enough to follow a change within a minute or two. */
const MAX_SAMPLES = 31;
/** Assumed until the first sample, ms. */
const DEFAULT_SERVICE_TIME = 1000;

/**
 * When rejected clients should come back. Each gets a time of its own, one for every place that will be free by then: if
 * all came back together, most would be rejected again. Clients for whom the next minute has no place are spread over its
 * second half.
 */
export class RetryAfterEstimator {
  /** A median: a mean would follow a single response that takes an hour. */
  readonly #serviceTimes: number[] = [];
  #nextSample = 0;
  #last = 0;
  #overHorizon = 0;

  /** For how long one request has held its place, ms. */
  addServiceTime(ms: number): void {
    this.#serviceTimes[this.#nextSample] = ms;
    this.#nextSample = (this.#nextSample + 1) % MAX_SAMPLES;
  }

  /**
   * Milliseconds from `now` until a place is likely to be free for one more client. `places` are in use; they become free
   * one by one, at least `minIntervalMs` apart.
   */
  next(now: number, places: number, minIntervalMs = 0): number {
    const interval = Math.max(this.#medianServiceTime() / Math.max(places, 1), minIntervalMs);
    const next = Math.max(this.#last, now) + interval * MARGIN;
    if (next - now > HORIZON) return this.#spread();
    this.#last = next;
    return next - now;
  }

  /** A place is free: clients need not wait for one any more. */
  reset(): void {
    this.#last = 0;
    this.#overHorizon = 0;
  }

  #medianServiceTime(): number {
    const sorted = this.#serviceTimes.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? DEFAULT_SERVICE_TIME;
  }

  #spread(): number {
    this.#overHorizon += 1;
    return (HORIZON / 2) * (1 + ((this.#overHorizon * GOLDEN_RATIO) % 1));
  }
}
