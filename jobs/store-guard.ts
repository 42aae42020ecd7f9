import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/create-log.ts';
import { StoreUnavailable } from '../store/errors.ts';

/** How long it waits before it tries again, ms. */
const RETRY_AFTER = 5000;

/** Tries again what the disk refuses, until it succeeds. Meanwhile no new lines are to be begun. */
export class StoreGuard {
  readonly #log: Log;
  readonly #closed: AbortSignal;
  readonly #onPause: () => void;
  readonly #retryAfterMs: number;
  readonly #failing = new Set<object>();
  #reason: string | null = null;

  /** `onPause` is called at the first failure, and when all has been done. */
  constructor(log: Log, closed: AbortSignal, onPause: () => void, retryAfterMs = RETRY_AFTER) {
    this.#log = log;
    this.#closed = closed;
    this.#onPause = onPause;
    this.#retryAfterMs = retryAfterMs;
  }

  get isPaused(): boolean {
    return this.#failing.size > 0;
  }

  /** Why it is paused, else null. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Rejects if it is closed meanwhile, and with what is not the disk's failure. */
  async persist<T>(action: () => T | Promise<T>): Promise<T> {
    const attempt = {};
    for (;;) {
      try {
        const result = await action();
        this.#end(attempt);
        return result;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) {
          this.#end(attempt);
          throw error;
        }
        this.#begin(attempt, error);
        await sleep(this.#retryAfterMs, undefined, { signal: this.#closed });
      }
    }
  }

  #begin(attempt: object, { message }: StoreUnavailable): void {
    const isFirst = this.#failing.size === 0;
    this.#failing.add(attempt);
    if (!isFirst) return;
    this.#log.error(`batches are paused: ${message}`);
    this.#reason = message;
    this.#onPause();
  }

  #end(attempt: object): void {
    if (!this.#failing.delete(attempt) || this.#failing.size > 0) return;
    this.#log.info('batches go on: the store is available again');
    this.#reason = null;
    this.#onPause();
  }
}
