import type { Log } from '../log/create-log.ts';
import { StoreUnavailable } from '../store/errors.ts';
import type { Store } from '../store/store.ts';

/** ms. */
const INTERVAL = 1000;

/**
 * Makes durable what other processes have stored: the gateway does not wait for the disk, because all its streams would
 * wait with it. So a power failure costs the responses of the last second, not those since the system last wrote its cache.
 */
export class StoreSync {
  readonly #store: Store;
  readonly #log: Log;
  #syncedVersion: number | undefined;
  #syncedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** To be called often: does something at most once a second, and only if something has changed. */
  run(now = performance.now()): void {
    if (now - this.#syncedAt < INTERVAL) return;
    try {
      const version = this.#store.dataVersion;
      if (version === this.#syncedVersion) return;
      this.#syncedAt = now;
      this.#store.sync();
      this.#syncedVersion = version;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#log.debug({ err: error }, 'the store could not be synced');
    }
  }
}
