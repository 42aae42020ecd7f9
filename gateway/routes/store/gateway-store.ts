import type { Log } from '../../../log/create-log.ts';
import type { StoreConfig } from '../../../store/config.ts';
import { StoreUnavailable } from '../../../store/errors.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { createStoreRoutes, type StoreRoutes } from './store-routes.ts';
import type { StoreServices } from './store-services.ts';

/** Between two attempts to open the store, ms. */
const RETRY_MS = 5000;

/**
 * The store of a running gateway. If the disk does not let it be opened, the gateway serves everything else, and each
 * request for a file tries again. This module, and with it all of the store, is loaded only with `STORE=on`.
 */
export class GatewayStore implements Disposable {
  readonly #config: StoreConfig;
  readonly #log: Log;
  #store: Store | undefined;
  #failure: StoreUnavailable | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;

  /** Throws a StoreError if the configuration is wrong. */
  constructor(config: StoreConfig, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#open();
  }

  /** Throws StoreUnavailable while it cannot be opened. */
  get current(): Store {
    if (this.#store === undefined && performance.now() - this.#failedAt >= RETRY_MS) this.#open();
    if (this.#store === undefined) throw this.#failure;
    return this.#store;
  }

  /** What `read` finds in the store; undefined while the disk does not let it be read. */
  observe<T>(read: (store: Store) => T): T | undefined {
    try {
      return read(this.current);
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  createRoutes(services: Omit<StoreServices, 'store' | 'maxFileSize'>): StoreRoutes {
    const current = () => this.current;
    return createStoreRoutes({
      ...services,
      maxFileSize: this.#config.maxFileSize,
      get store() {
        return current();
      },
    });
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
  }

  #open(): void {
    try {
      this.#store = openStore(this.#config, { role: 'gateway' });
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#log.error(`${error.message}: files and batches are not served`);
      this.#failure = error;
      this.#failedAt = performance.now();
    }
  }
}
