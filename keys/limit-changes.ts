import type { Key } from './key.ts';
import { keyAt } from './temporary-limits.ts';

/** Timers are not longer, ms. */
const MAX_TIMER = 2 ** 31 - 1;

/** Reports the keys with the limits that they have now, whenever these may have changed: temporary ones end by themselves. */
export class LimitChanges implements Disposable {
  readonly #keys: () => readonly Key[];
  readonly #report: (key: Key) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(keys: () => readonly Key[], report: (key: Key) => void) {
    this.#keys = keys;
    this.#report = report;
    this.#wait(Date.now());
  }

  /** To be called when the keys have changed. */
  check(): void {
    const now = Date.now();
    for (const key of this.#keys()) this.#report(keyAt(key, now));
    this.#wait(now);
  }

  /** Until the next temporary limit ends. */
  #wait(now: number): void {
    clearTimeout(this.#timer);
    const ends = this.#keys().flatMap(({ temporaryLimits = [] }) =>
      temporaryLimits.map(({ until }) => until),
    );
    const next = ends.reduce((first, end) => (end > now ? Math.min(first, end) : first), Infinity);
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.check(), Math.min(next - now, MAX_TIMER)).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
