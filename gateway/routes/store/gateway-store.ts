import type { Log } from '../../../log/create-log.ts';
import type { StoreConfig } from '../../../store/config.ts';
import { StoreUnavailable } from '../../../store/errors.ts';
import { openStore, type Store } from '../../../store/store.ts';
import type { GatewayConfig } from '../../config.ts';
import type { ResponseStates } from '../../proxy/response-states.ts';
import { ConversationLocks } from '../responses/conversation-locks.ts';
import { StoreChanges } from '../responses/store-changes.ts';
import { StoredResponseStates } from '../responses/stored-response-states.ts';
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
  readonly #locks = new ConversationLocks(() => this.current);
  readonly #changes = new StoreChanges(() => this.current);
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

  createRoutes(
    services: Omit<StoreServices, 'store' | 'locks' | 'maxFileSize' | 'maxBatchesPerKey' | 'changes'>,
  ): StoreRoutes {
    const current = () => this.current;
    return createStoreRoutes({
      ...services,
      maxFileSize: this.#config.maxFileSize,
      maxBatchesPerKey: this.#config.maxBatchesPerKey,
      locks: this.#locks,
      changes: this.#changes,
      get store() {
        return current();
      },
    });
  }

  createResponseStates(config: GatewayConfig, draining: AbortSignal): ResponseStates {
    return new StoredResponseStates({
      store: () => this.current,
      locks: this.#locks,
      changes: this.#changes,
      draining,
      config,
      log: this.#log,
    });
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
  }

  #open(): void {
    try {
      this.#store = openStore(this.#config, { role: 'gateway' });
      if (this.#failure !== undefined) this.#log.info('the store is available');
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      // It may stay so for days.
      if (error.message !== this.#failure?.message)
        this.#log.error(
          `${error.message}: files, batches, stored responses and conversations are not served`,
        );
      this.#failure = error;
      this.#failedAt = performance.now();
    }
  }
}
