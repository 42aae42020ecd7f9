import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { redisServer } from '../../test/services/service-catalogue.ts';
import { type RunningRedis, startRedis } from '../../test/services/start-redis.ts';
import { requireTestService } from '../../test/services/test-service.ts';
import { connectRedis } from './connect-redis.ts';
import { type CounterResult, type RefundableStore, refund } from './counter-store.ts';
import { LocalStore } from './local-store.ts';
import { RedisStore } from './redis-store.ts';

let bucketNumber = 0;
const newBucket = () => `bucket-${++bucketNumber}`;

function behaves(open: (windowSeconds: number) => RefundableStore) {
  it('takes all or nothing', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    expect(await counts.consume(bucket, 7, 10)).toMatchObject({ fits: true, used: 7 });
    expect(await counts.consume(bucket, 4, 10)).toMatchObject({ fits: false, used: 7 });
    expect(await counts.consume(bucket, 3, 10)).toMatchObject({ fits: true, used: 10 });
    expect(await counts.consume(newBucket(), 3, 10)).toMatchObject({ fits: true, used: 3 });
  });

  it('holds each asker to its own limit', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    await counts.consume(bucket, 7, 10);
    expect(await counts.consume(bucket, 4, 20)).toMatchObject({ fits: true, used: 11 });
    expect(await counts.consume(bucket, 1, 10)).toMatchObject({ fits: false, used: 11 });
  });

  it('adds and gives back, limit or not', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    await counts.consume(bucket, 7, 10);
    await counts.adjust(bucket, 30);
    expect(await counts.consume(bucket, 0, 10)).toMatchObject({ used: 37 });
    await counts.adjust(bucket, -36);
    expect(await counts.consume(bucket, 0, 10)).toMatchObject({ used: 1 });
  });

  it('is empty after its window, and tells when that is', async () => {
    const [counts, bucket] = [open(2), newBucket()];
    const { resetMs } = await counts.consume(bucket, 10, 10);
    expect(resetMs).toBe(2000);
    const since = performance.now();
    const refused = await counts.consume(bucket, 1, 10);
    expect(refused.fits).toBe(false);
    expect(refused.resetMs).toBeLessThanOrEqual(resetMs);
    await waitFor('the window to end', async () => (await counts.consume(bucket, 10, 10)).fits);
    expect(performance.now() - since).toBeGreaterThan(refused.resetMs - 50);
  });

  it('gives no more back than there is', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    await counts.adjust(bucket, -5);
    expect(await counts.consume(bucket, 7, 10)).toMatchObject({ fits: true, used: 7 });
    await counts.adjust(bucket, -20);
    expect(await counts.consume(bucket, 0, 10)).toMatchObject({ used: 0 });
  });

  it('gives nothing back into a later window', async () => {
    const [counts, bucket] = [open(1), newBucket()];
    const early = await counts.consume(bucket, 10, 10);
    await waitFor('the window to end', async () => (await counts.consume(bucket, 4, 10)).fits);
    await refund(early, bucket, 10);
    expect(await counts.consume(bucket, 0, 10)).toMatchObject({ used: 4 });
  });

  it('lets one that is too large stand in no other’s way', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    const asked = [1000, 10, 1000, 20, 70, 1].map((points) => counts.consume(bucket, points, 100));
    expect((await Promise.all(asked)).map(({ fits }) => fits)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it('holds its bounds, whatever happens', async () => {
    const event = fc.tuple(fc.constantFrom('take', 'back'), fc.integer({ min: 1, max: 8 }));
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const [counts, bucket] = [open(60), newBucket()];
      let taken = 0;
      for (const [what, points] of events) {
        if (what === 'back') {
          await counts.adjust(bucket, -points);
          taken = Math.max(taken - points, 0);
          continue;
        }
        const fits = taken + points <= 10;
        if (fits) taken += points;
        expect(await counts.consume(bucket, points, 10)).toMatchObject({ fits, used: taken });
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('lets no more through in any window, however late things are given back', async () => {
    const event = fc.tuple(fc.constantFrom('take', 'back', 'next window'), fc.integer({ min: 1, max: 8 }));
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const counts = open(60);
      let [bucket, used] = [newBucket(), 0];
      const held: (readonly [CounterResult, string, number])[] = [];
      for (const [what, points] of events) {
        if (what === 'next window') [bucket, used] = [newBucket(), 0];
        else if (what === 'take') {
          const count = await counts.consume(bucket, points, 10);
          if (!count.fits) continue;
          used += points;
          held.push([count, bucket, points]);
        } else {
          const [taken, from, back] = held.shift() ?? [];
          if (taken === undefined || from === undefined || back === undefined) continue;
          const isOver = from !== bucket;
          await refund(isOver ? { ...taken, windowEnds: performance.now() } : taken, bucket, back);
          if (!isOver) used -= back;
        }
        expect(used).toBeLessThanOrEqual(10);
        expect(await counts.consume(bucket, 0, 10)).toMatchObject({ used: used });
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });
}

describe('LocalCounts', () => {
  behaves((windowSeconds) => new LocalStore(windowSeconds));
});

const program = await requireTestService(redisServer);
describe.skipIf(program === undefined)('SharedCounts', () => {
  let redis: RunningRedis;
  let client: Redis;
  const open = (windowSeconds: number) => new RedisStore(client, windowSeconds);
  beforeAll(async () => {
    if (program) redis = await startRedis(program);
    client = connectRedis(redis.url);
    client.setMaxListeners(0);
    await new RedisStore(client, 60).connected();
  });
  afterAll(async () => {
    client.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  behaves(open);

  it('gives a hundred who ask at once no more than there is', async () => {
    const [counts, bucket] = [open(60), newBucket()];
    const taken = await Promise.all(Array.from({ length: 100 }, () => counts.consume(bucket, 3, 100)));
    expect(taken.filter(({ fits }) => fits)).toHaveLength(33);
  });
});
