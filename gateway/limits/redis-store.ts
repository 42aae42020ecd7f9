import { once } from 'node:events';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { CounterResult, RefundableStore } from './counter-store.ts';

/**
 * Takes all points or none in one step, so that a request that does not fit changes nothing, and refunds no more points
 * than are used. ARGV: points, window in seconds, limit. Returns the points used (or that would be) and the rest of the
 * window in ms.
 */
const consumeOrRefund = `
local points = tonumber(ARGV[1])
local rest = redis.call('pttl', KEYS[1])
local taken = 0
if rest > 0 then taken = tonumber(redis.call('get', KEYS[1])) else rest = ARGV[2] * 1000 end
local after = math.max(taken + points, 0)
if points == 0 or (points > 0 and after > tonumber(ARGV[3])) then return {after, rest} end
redis.call('set', KEYS[1], string.format('%d', after), 'PX', rest)
return {after, rest}
`;

/** Counters in Redis or Valkey, shared by all gateways with the same `REDIS_URL`. */
export class RedisStore implements RefundableStore {
  readonly #client: Redis;
  readonly #windowSeconds: number;
  readonly #limiters = new Map<number, RateLimiterRedis>();
  #problem: string | undefined;

  constructor(client: Redis, windowSeconds: number) {
    this.#client = client;
    this.#windowSeconds = windowSeconds;
    client.on('error', (error: Error) => {
      this.#problem = error.message;
    });
    client.on('ready', () => {
      this.#problem = undefined;
    });
  }

  /** The connection error; undefined while connected, and before the first attempt. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when connected. */
  async connected(): Promise<void> {
    if (this.#client.status !== 'ready') await once(this.#client, 'ready');
  }

  async consume(bucket: string, points: number, limit: number): Promise<CounterResult> {
    const sentAt = performance.now();
    const { consumedPoints, msBeforeNext } = await this.#limiterOf(limit).penalty(bucket, points);
    const fits = consumedPoints <= limit;
    const used = fits ? consumedPoints : consumedPoints - points;
    return { fits, used, resetMs: msBeforeNext, windowEnds: sentAt + msBeforeNext, store: this };
  }

  async adjust(bucket: string, points: number): Promise<void> {
    await this.#limiterOf(Number.MAX_SAFE_INTEGER).penalty(bucket, points);
  }

  /** Counters there end with their windows. */
  forget(): void {}

  /** For a connection without replies, which may be dead without an error. */
  reconnect(): void {
    if (this.#client.status === 'ready') this.#client.disconnect(true);
  }

  close(): void {
    this.#client.disconnect();
  }

  /** A limiter has a fixed limit. There are few different ones: most keys share the same. */
  #limiterOf(limit: number): RateLimiterRedis {
    const known = this.#limiters.get(limit);
    if (known) return known;
    const limiter = new RateLimiterRedis({
      storeClient: this.#client,
      keyPrefix: 'corral',
      points: limit,
      duration: this.#windowSeconds,
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: consumeOrRefund,
    });
    this.#limiters.set(limit, limiter);
    return limiter;
  }
}

const RECONNECT_DELAY = 500;
const CONNECT_TIMEOUT = 2000;

/**
 * A connection that never queues commands: one that cannot be sent now fails now, because a request waits for it. It
 * reconnects by itself until it is closed.
 */
export function connectRedis(url: string): Redis {
  return new Redis(url, {
    // Supported by every Redis, every Valkey and the proxies in front of them.
    protocol: 2,
    connectionName: 'llama-corral',
    connectTimeout: CONNECT_TIMEOUT,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => RECONNECT_DELAY,
  });
}
