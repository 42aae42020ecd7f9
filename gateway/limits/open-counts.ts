import type { Log } from '../../log/create-log.ts';
import type { Taker } from './counts.ts';
import { LocalCounts } from './local-counts.ts';

export interface CountsOptions {
  /** Undefined: this gateway counts alone. */
  readonly redisUrl: string | undefined;
  /** How long a request may wait for Redis. */
  readonly redisPatienceMs: number;
  readonly windowSeconds: number;
  readonly log: Log;
}

/** Whether gateways count together: `alone` while Redis is away, `off` where there is none. */
export type Sharing = 'off' | 'together' | 'alone';

export interface OpenCounts extends Disposable {
  readonly counts: Taker;
  readonly sharing: Sharing;
  /** How often Redis went away. */
  readonly losses: number;
}

/** The buckets of this gateway, or of all that share a Redis, whose client is loaded only for them. */
export async function openCounts({
  redisUrl,
  redisPatienceMs: patienceMs,
  windowSeconds,
  log,
}: CountsOptions): Promise<OpenCounts> {
  const local = new LocalCounts(windowSeconds);
  if (redisUrl === undefined) return { counts: local, sharing: 'off', losses: 0, [Symbol.dispose]() {} };
  const [{ connectRedis }, { SharedCounts }, { SteadfastCounts }] = await Promise.all([
    import('./connect-redis.ts'),
    import('./shared-counts.ts'),
    import('./steadfast-counts.ts'),
  ]);
  const shared = new SharedCounts(connectRedis(redisUrl), windowSeconds);
  const counts = new SteadfastCounts({ shared, local, log, patienceMs });
  await counts.open();
  return {
    counts,
    get sharing() {
      return counts.isAlone ? 'alone' : 'together';
    },
    get losses() {
      return counts.losses;
    },
    [Symbol.dispose]: () => counts.close(),
  };
}
