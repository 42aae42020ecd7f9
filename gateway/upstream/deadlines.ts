import { Slab } from '../slab.ts';

/** How often deadlines are checked, ms. One is noticed at most twice as much too late. */
const PRECISION = 250;

/** Something that may take only so long. */
export interface Timed {
  /** From `deadlines.after`. */
  readonly deadline: number;
  /** Written by `Deadlines` alone; undefined while it is not watched. */
  watchKey: number | undefined;
  /** Called at every check after the deadline, until this one is removed or its deadline has moved. */
  onDeadline(): void;
}

/**
 * One timer for all exchanges and connections. Their deadlines hardly ever pass and move with every chunk, and a timer of
 * Node's for each costs more than parsing a response.
 */
export class Deadlines {
  readonly #watched = new Slab<Timed>();
  #timer: NodeJS.Timeout | undefined;
  /** When the deadlines were last checked, `performance.now()`. */
  #checkedAt = 0;

  add(timed: Timed): void {
    timed.watchKey ??= this.#watched.insert(timed);
  }

  delete(timed: Timed): void {
    if (timed.watchKey === undefined) return;
    this.#watched.remove(timed.watchKey);
    timed.watchKey = undefined;
  }

  /** The deadline of what may last this long from now on, ms; 0 is no limit. Does not read the clock. */
  after(ms: number): number {
    if (ms === 0) return Number.POSITIVE_INFINITY;
    if (this.#timer === undefined) this.#start();
    return this.#checkedAt + PRECISION + ms;
  }

  #start(): void {
    this.#checkedAt = performance.now();
    this.#timer = setInterval(() => this.#check(), PRECISION).unref();
  }

  #check(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    this.#checkedAt = now;
    for (const timed of this.#watched) if (timed.deadline <= now) timed.onDeadline();
  }
}

export const deadlines = new Deadlines();
