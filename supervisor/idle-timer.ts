/**
 * Why the deployment is not idle: it has never been ready, requests run or queue, batches have lines to do, llama-server is
 * being replaced.
 */
export type Activity = 'boot' | 'requests' | 'jobs' | 'replacement';

export interface IdleTimerOptions {
  /** `onLimit` is called after this idle time; undefined or 0 is never. */
  readonly limitMs: number | undefined;
  readonly onLimit: () => void;
}

/** The longest timer of Node. */
const maxTimerMs = 2 ** 31 - 1;

/** Measures the time without activity, by a monotonic clock. */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  readonly #activities = new Set<Activity>(['boot']);
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IdleTimerOptions) {
    this.#options = options;
  }

  /** Milliseconds; 0 during an activity. */
  get idleMs(): number {
    return this.#activities.size > 0 ? 0 : performance.now() - this.#since;
  }

  start(activity: Activity): void {
    this.#activities.add(activity);
    clearTimeout(this.#timer);
  }

  end(activity: Activity, agoMs = 0): void {
    if (!this.#activities.delete(activity) || this.#activities.size > 0) return;
    this.#since = performance.now() - agoMs;
    this.#schedule();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const { limitMs, onLimit } = this.#options;
    if (!limitMs) return;
    const leftMs = limitMs - this.idleMs;
    if (leftMs <= 0) onLimit();
    else this.#timer = setTimeout(() => this.#schedule(), Math.min(Math.ceil(leftMs), maxTimerMs));
  }
}
