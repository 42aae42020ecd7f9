/** Why the house is not idle: it has never been ready, a request is under way or waits, llama-server is being replaced. */
export type Activity = 'boot' | 'requests' | 'replacement';

export interface IdleTimerOptions {
  /** Called once idle for so long; undefined or 0 is never. */
  readonly limitMs: number | undefined;
  readonly onLimit: () => void;
}

/** Timers of Node's cannot wait longer. */
const longestTimerMs = 2 ** 31 - 1;

/** How long nobody has wanted anything, by a clock that never jumps. */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  readonly #underWay = new Set<Activity>(['boot']);
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IdleTimerOptions) {
    this.#options = options;
  }

  /** Milliseconds; 0 while something is under way. */
  get idleMs(): number {
    return this.#underWay.size > 0 ? 0 : performance.now() - this.#since;
  }

  began(activity: Activity): void {
    this.#underWay.add(activity);
    clearTimeout(this.#timer);
  }

  ended(activity: Activity, agoMs = 0): void {
    if (!this.#underWay.delete(activity) || this.#underWay.size > 0) return;
    this.#since = performance.now() - agoMs;
    this.#await();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #await(): void {
    const { limitMs, onLimit } = this.#options;
    if (!limitMs) return;
    const leftMs = limitMs - this.idleMs;
    if (leftMs <= 0) onLimit();
    else this.#timer = setTimeout(() => this.#await(), Math.min(Math.ceil(leftMs), longestTimerMs));
  }
}
