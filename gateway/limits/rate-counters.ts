import type { Log } from '../../log/create-log.ts';
import { type CounterResult, type CounterStore, LocalStore } from './counter-store.ts';
import type { RedisStore } from './redis-store.ts';
import { DeadlineExceeded, withDeadline } from './with-deadline.ts';

export interface RateCountersOptions {
  /** Undefined: this gateway counts on its own. */
  readonly redisUrl: string | undefined;
  /** How long a request may wait for Redis. */
  readonly redisTimeoutMs: number;
  readonly windowSeconds: number;
  readonly log: Log;
}

/** Whether gateways share their counters: `alone` while Redis is unreachable, `off` where none is configured. */
export type Sharing = 'off' | 'together' | 'alone';

export interface RateCounters extends Disposable {
  readonly store: CounterStore;
  readonly sharing: Sharing;
  /** How often Redis became unreachable. */
  readonly outages: number;
}

/** The counters of this gateway, or of all that share a Redis. The Redis client is loaded only where it is used. */
export async function createRateCounters({
  redisUrl,
  redisTimeoutMs: timeoutMs,
  windowSeconds,
  log,
}: RateCountersOptions): Promise<RateCounters> {
  const local = new LocalStore(windowSeconds);
  if (redisUrl === undefined) return { store: local, sharing: 'off', outages: 0, [Symbol.dispose]() {} };
  const { connectRedis, RedisStore } = await import('./redis-store.ts');
  const shared = new RedisStore(connectRedis(redisUrl), windowSeconds);
  const store = new FallbackStore({ shared, local, log, timeoutMs });
  await store.connect();
  return {
    store,
    get sharing() {
      return store.isLocal ? 'alone' : 'together';
    },
    get outages() {
      return store.outages;
    },
    [Symbol.dispose]: () => store.close(),
  };
}

/** After this many timeouts in a row Redis counts as unreachable. */
const MAX_TIMEOUTS = 3;
/** For the first connection, ms. */
const CONNECT_TIMEOUT = 1000;
const RETRY_INTERVAL = 500;

export interface FallbackStoreOptions {
  readonly shared: Pick<RedisStore, 'consume' | 'adjust' | 'problem' | 'connected' | 'reconnect' | 'close'>;
  readonly local: LocalStore;
  readonly log: Log;
  /** How long a request may wait for Redis, ms. */
  readonly timeoutMs: number;
}

/**
 * Counts in Redis while it is reachable, and locally otherwise: Redis never fails a request, and never delays one by more
 * than the timeout. After a single timeout only that request is counted locally.
 */
export class FallbackStore implements CounterStore {
  readonly #options: FallbackStoreOptions;
  #isAlone = false;
  #outages = 0;
  #consecutiveTimeouts = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FallbackStoreOptions) {
    this.#options = options;
  }

  /** Whether Redis is unreachable. */
  get isLocal(): boolean {
    return this.#isAlone;
  }

  /** How often Redis became unreachable. */
  get outages(): number {
    return this.#outages;
  }

  consume(bucket: string, points: number, limit: number): CounterResult | Promise<CounterResult> {
    if (this.#isAlone) return this.#options.local.consume(bucket, points, limit);
    return this.#consumeShared(bucket, points, limit);
  }

  forget(bucket: string): void {
    this.#options.local.forget(bucket);
  }

  async #consumeShared(bucket: string, points: number, limit: number): Promise<CounterResult> {
    const { shared, local, timeoutMs } = this.#options;
    const counting = shared.consume(bucket, points, limit);
    try {
      const count = await withDeadline(timeoutMs, counting);
      this.#consecutiveTimeouts = 0;
      return count;
    } catch (error) {
      void this.#refundLate(counting, bucket, points);
      this.#consecutiveTimeouts += 1;
      if (!(error instanceof DeadlineExceeded) || this.#consecutiveTimeouts >= MAX_TIMEOUTS)
        this.#fallBack(error);
      return local.consume(bucket, points, limit);
    }
  }

  /** Waits for Redis, for at most a second. */
  async connect(): Promise<void> {
    try {
      await withDeadline(CONNECT_TIMEOUT, this.#options.shared.connected());
      await this.#tryWrite();
    } catch (error) {
      this.#fallBack(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#options.shared.close();
  }

  /** Undoes a count in Redis that has been counted here meanwhile. */
  async #refundLate(counting: Promise<CounterResult>, bucket: string, points: number): Promise<void> {
    try {
      const { fits } = await counting;
      if (fits && points > 0) await this.#options.shared.adjust(bucket, -points);
    } catch {
      // No reply: it is unknown whether Redis counted it. The end of the window resets it anyway.
    }
  }

  #fallBack(error: unknown): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#outages += 1;
    const why = this.#options.shared.problem ?? (error instanceof Error ? error.message : String(error));
    this.#options.log.warn(
      { why },
      'Redis is unreachable: this gateway counts requests and tokens on its own until it can reconnect',
    );
    this.#options.shared.reconnect();
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.#tryWrite();
        this.#isAlone = false;
        this.#consecutiveTimeouts = 0;
        this.#options.log.info('Redis is back: requests and tokens are counted across all gateways again');
      } catch {
        this.#options.shared.reconnect();
        this.#retryLater();
      }
    }, RETRY_INTERVAL);
    this.#timer.unref();
  }

  /** Tries a write, because a full Redis and a replica still allow reads. */
  #tryWrite(): Promise<void> {
    return withDeadline(this.#options.timeoutMs, this.#options.shared.adjust('trial', 1));
  }
}
