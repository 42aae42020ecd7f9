import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { CounterResult, RefundableStore } from './counter-store.ts';

/**
 * Takes all or nothing in one step, so that a request which does not fit leaves no trace, and gives back no more than
 * there is. ARGV: points, seconds of the window, limit. Answers what is taken, or would be, and the window's rest in ms.
 */
const takeOrGiveBack = `
local points = tonumber(ARGV[1])
local rest = redis.call('pttl', KEYS[1])
local taken = 0
if rest > 0 then taken = tonumber(redis.call('get', KEYS[1])) else rest = ARGV[2] * 1000 end
local after = math.max(taken + points, 0)
if points == 0 or (points > 0 and after > tonumber(ARGV[3])) then return {after, rest} end
redis.call('set', KEYS[1], string.format('%d', after), 'PX', rest)
return {after, rest}
`;

/** Buckets in a Redis or Valkey, which all gateways with the same `REDIS_URL` fill together. */
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

  /** Why there is no connection; undefined where there is one, or none was tried yet. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Settles when a connection is there. */
  async connected(): Promise<void> {
    if (this.#client.status !== 'ready') await once(this.#client, 'ready');
  }

  async consume(bucket: string, points: number, limit: number): Promise<CounterResult> {
    const askedAt = performance.now();
    const { consumedPoints, msBeforeNext } = await this.#limiterOf(limit).penalty(bucket, points);
    const fits = consumedPoints <= limit;
    const taken = fits ? consumedPoints : consumedPoints - points;
    return { fits, used: taken, resetMs: msBeforeNext, windowEnds: askedAt + msBeforeNext, store: this };
  }

  async adjust(bucket: string, points: number): Promise<void> {
    await this.#limiterOf(Number.MAX_SAFE_INTEGER).penalty(bucket, points);
  }

  /** A connection on which an answer failed to come may be dead without saying so. */
  reconnect(): void {
    if (this.#client.status === 'ready') this.#client.disconnect(true);
  }

  close(): void {
    this.#client.disconnect();
  }

  /** The limit is part of the limiter, and hardly any two keys differ in theirs. */
  #limiterOf(limit: number): RateLimiterRedis {
    const known = this.#limiters.get(limit);
    if (known) return known;
    const limiter = new RateLimiterRedis({
      storeClient: this.#client,
      keyPrefix: 'corral',
      points: limit,
      duration: this.#windowSeconds,
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: takeOrGiveBack,
    });
    this.#limiters.set(limit, limiter);
    return limiter;
  }
}
