/** Clients come back a little late, and service times vary: better a place that waits than a second refusal. */
const MARGIN = 1.5;
/** No client is told more than that, ms (refusal/catalogue.ts). */
const HORIZON = 60_000;
/** Multiples of it, without their whole part, lie evenly between 0 and 1, however many they are. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * When those who are sent away should come back: each at a time of its own, one for every place that will have become
 * free by then. Sent back together they would come back together, and most of them in vain. Where more are sent away than
 * find a place in a minute, the others are spread over the second half of it.
 */
export class RetryAfterEstimator {
  #last = 0;
  #beyond = 0;

  /** Milliseconds from `now` until a place is likely to be free for one more; places become free every `everyMs`. */
  next(now: number, everyMs: number): number {
    const next = Math.max(this.#last, now) + everyMs * MARGIN;
    if (next - now > HORIZON) return this.#spread();
    this.#last = next;
    return next - now;
  }

  /** A place is free: whoever was to wait for one need not wait any more. */
  reset(): void {
    this.#last = 0;
    this.#beyond = 0;
  }

  #spread(): number {
    this.#beyond += 1;
    return (HORIZON / 2) * (1 + ((this.#beyond * GOLDEN_RATIO) % 1));
  }
}
