import type { Log } from '../../log/create-log.ts';
import { type CounterStore, LocalStore } from './counter-store.ts';

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
  const [{ connectRedis, RedisStore }, { FallbackStore }] = await Promise.all([
    import('./redis-store.ts'),
    import('./fallback-store.ts'),
  ]);
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
