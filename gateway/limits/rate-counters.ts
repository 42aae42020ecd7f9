import type { Log } from '../../log/create-log.ts';
import type { CounterStore } from './counter-store.ts';
import { LocalStore } from './local-store.ts';

export interface RateCountersOptions {
  /** Undefined: this gateway counts alone. */
  readonly redisUrl: string | undefined;
  /** How long a request may wait for Redis. */
  readonly redisPatienceMs: number;
  readonly windowSeconds: number;
  readonly log: Log;
}

/** Whether gateways count together: `alone` while Redis is away, `off` where there is none. */
export type Sharing = 'off' | 'together' | 'alone';

export interface RateCounters extends Disposable {
  readonly store: CounterStore;
  readonly sharing: Sharing;
  /** How often Redis went away. */
  readonly outages: number;
}

/** The buckets of this gateway, or of all that share a Redis, whose client is loaded only for them. */
export async function createRateCounters({
  redisUrl,
  redisPatienceMs: patienceMs,
  windowSeconds,
  log,
}: RateCountersOptions): Promise<RateCounters> {
  const local = new LocalStore(windowSeconds);
  if (redisUrl === undefined) return { store: local, sharing: 'off', outages: 0, [Symbol.dispose]() {} };
  const [{ connectRedis }, { RedisStore }, { FallbackStore }] = await Promise.all([
    import('./connect-redis.ts'),
    import('./redis-store.ts'),
    import('./fallback-store.ts'),
  ]);
  const shared = new RedisStore(connectRedis(redisUrl), windowSeconds);
  const counts = new FallbackStore({ shared, local, log, patienceMs });
  await counts.connect();
  return {
    store: counts,
    get sharing() {
      return counts.isLocal ? 'alone' : 'together';
    },
    get outages() {
      return counts.losses;
    },
    [Symbol.dispose]: () => counts.close(),
  };
}
