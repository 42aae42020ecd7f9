/** Clients come back a little late, and service times vary: better a place that waits than a second refusal. */
const MARGIN = 1.5;

/**
 * When those who are sent away should come back: each at a time of its own, one for every place that will have become
 * free by then. Sent back together they would come back together, and most of them in vain.
 */
export class Appointments {
  #last = 0;

  /** Milliseconds from `now` until a place is likely to be free for one more; places become free every `everyMs`. */
  next(now: number, everyMs: number): number {
    this.#last = Math.max(this.#last, now) + everyMs * MARGIN;
    return this.#last - now;
  }
}
