import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Count, Counts } from './counts.ts';

/** Buckets in the memory of this process. A key has one as long as its window lasts. */
export class LocalCounts implements Counts {
  readonly #limiter: RateLimiterMemory;

  constructor(windowSeconds: number) {
    this.#limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: windowSeconds });
  }

  async take(bucket: string, points: number, limit: number): Promise<Count> {
    const { consumedPoints, msBeforeNext } = await this.#limiter.penalty(bucket, points);
    if (consumedPoints <= limit)
      return { fits: true, taken: consumedPoints, resetMs: msBeforeNext, by: this };
    await this.#limiter.reward(bucket, points);
    return { fits: false, taken: consumedPoints - points, resetMs: msBeforeNext, by: this };
  }

  async change(bucket: string, points: number): Promise<void> {
    await this.#limiter.penalty(bucket, points);
  }
}
