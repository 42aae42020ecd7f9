import type { Key } from '../../keys/key.ts';
import { keyWarning } from '../../keys/key-warning.ts';

const LOOK_EVERY = 600_000;

export interface KeyWarningsOptions {
  /** The keys of the moment. */
  readonly keys: () => readonly Key[];
  readonly maxAgeMs: number | undefined;
  readonly warn: (words: string) => void;
}

/** Tells of keys that will soon need care, once a day (UTC) for each. */
export class KeyWarnings {
  readonly #options: KeyWarningsOptions;
  readonly #timer = setInterval(() => this.check(), LOOK_EVERY).unref();
  #day = '';
  #told = new Set<string>();

  constructor(options: KeyWarningsOptions) {
    this.#options = options;
    this.check();
  }

  /** To be called when the keys have changed, too. */
  check(now = Date.now()): void {
    this.#turnPage(new Date(now).toISOString().slice(0, 10));
    for (const key of this.#options.keys()) {
      if (this.#told.has(key.id)) continue;
      const words = keyWarning(key, now, this.#options.maxAgeMs);
      if (words === undefined) continue;
      this.#told.add(key.id);
      this.#options.warn(words);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #turnPage(day: string): void {
    if (day === this.#day) return;
    this.#day = day;
    this.#told = new Set();
  }
}
