import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { redisServer } from '../../test/services/service-catalogue.ts';
import { type RunningRedis, startRedis } from '../../test/services/start-redis.ts';
import { requireTestService } from '../../test/services/test-service.ts';
import { type CounterResult, LocalStore, type RefundableStore, refund } from './counter-store.ts';
import { connectRedis, RedisStore } from './redis-store.ts';

let bucketNumber = 0;
const newBucket = () => `bucket-${++bucketNumber}`;

function testStore(create: (windowSeconds: number) => RefundableStore) {
  it('takes all or nothing', async () => {
    const [store, bucket] = [create(60), newBucket()];
    expect(await store.consume(bucket, 7, 10)).toMatchObject({ fits: true, used: 7 });
    expect(await store.consume(bucket, 4, 10)).toMatchObject({ fits: false, used: 7 });
    expect(await store.consume(bucket, 3, 10)).toMatchObject({ fits: true, used: 10 });
    expect(await store.consume(newBucket(), 3, 10)).toMatchObject({ fits: true, used: 3 });
  });

  it('applies the limit of each call', async () => {
    const [store, bucket] = [create(60), newBucket()];
    await store.consume(bucket, 7, 10);
    expect(await store.consume(bucket, 4, 20)).toMatchObject({ fits: true, used: 11 });
    expect(await store.consume(bucket, 1, 10)).toMatchObject({ fits: false, used: 11 });
  });

  it('adds and refunds regardless of the limit', async () => {
    const [store, bucket] = [create(60), newBucket()];
    await store.consume(bucket, 7, 10);
    await store.adjust(bucket, 30);
    expect(await store.consume(bucket, 0, 10)).toMatchObject({ used: 37 });
    await store.adjust(bucket, -36);
    expect(await store.consume(bucket, 0, 10)).toMatchObject({ used: 1 });
  });

  it('is empty after its window, and reports when the window ends', async () => {
    const [store, bucket] = [create(2), newBucket()];
    const since = performance.now();
    // Sent together, so that no pause of this process is longer than the window between them.
    const both = [store.consume(bucket, 10, 10), store.consume(bucket, 1, 10)] as const;
    const [{ resetMs }, rejected] = await Promise.all(both);
    expect(resetMs).toBe(2000);
    expect(rejected.fits).toBe(false);
    expect(rejected.resetMs).toBeLessThanOrEqual(resetMs);
    await waitFor('the window to end', async () => (await store.consume(bucket, 10, 10)).fits);
    expect(performance.now() - since).toBeGreaterThan(rejected.resetMs - 50);
  });

  it('refunds no more than is used', async () => {
    const [store, bucket] = [create(60), newBucket()];
    await store.adjust(bucket, -5);
    expect(await store.consume(bucket, 7, 10)).toMatchObject({ fits: true, used: 7 });
    await store.adjust(bucket, -20);
    expect(await store.consume(bucket, 0, 10)).toMatchObject({ used: 0 });
  });

  it('refunds nothing to a later window', async () => {
    const [store, bucket] = [create(1), newBucket()];
    const first = await store.consume(bucket, 10, 10);
    const later = await waitFor('the window to end', async () => {
      if (performance.now() < first.windowEnds) return undefined;
      // Sent together, so that no pause of this process is longer than the later window.
      const [next, , after] = await Promise.all([
        store.consume(bucket, 4, 10),
        refund(first, bucket, 10),
        store.consume(bucket, 0, 10),
      ]);
      return next.fits && after;
    });
    expect(later).toMatchObject({ used: 4 });
  });

  it('does not let a request that is too large affect others', async () => {
    const [store, bucket] = [create(60), newBucket()];
    const pending = [1000, 10, 1000, 20, 70, 1].map((points) => store.consume(bucket, points, 100));
    expect((await Promise.all(pending)).map(({ fits }) => fits)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it('stays within its limit for any sequence of calls', async () => {
    const event = fc.tuple(fc.constantFrom('consume', 'refund'), fc.integer({ min: 1, max: 8 }));
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const [store, bucket] = [create(60), newBucket()];
      let used = 0;
      for (const [what, points] of events) {
        if (what === 'refund') {
          await store.adjust(bucket, -points);
          used = Math.max(used - points, 0);
          continue;
        }
        const fits = used + points <= 10;
        if (fits) used += points;
        expect(await store.consume(bucket, points, 10)).toMatchObject({ fits, used });
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('allows no more than the limit in any window, however late refunds arrive', async () => {
    const event = fc.tuple(
      fc.constantFrom('consume', 'refund', 'next window'),
      fc.integer({ min: 1, max: 8 }),
    );
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const store = create(60);
      let [bucket, used] = [newBucket(), 0];
      const held: (readonly [CounterResult, string, number])[] = [];
      for (const [what, points] of events) {
        if (what === 'next window') [bucket, used] = [newBucket(), 0];
        else if (what === 'consume') {
          const count = await store.consume(bucket, points, 10);
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
        expect(await store.consume(bucket, 0, 10)).toMatchObject({ used });
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });
}

describe('LocalStore', () => {
  testStore((windowSeconds) => new LocalStore(windowSeconds));
});

const program = await requireTestService(redisServer);
describe.skipIf(program === undefined)('RedisStore', () => {
  let redis: RunningRedis;
  let client: Redis;
  const create = (windowSeconds: number) => new RedisStore(client, windowSeconds);
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

  testStore(create);

  it('gives a hundred concurrent calls no more than the limit', async () => {
    const [store, bucket] = [create(60), newBucket()];
    const taken = await Promise.all(Array.from({ length: 100 }, () => store.consume(bucket, 3, 100)));
    expect(taken.filter(({ fits }) => fits)).toHaveLength(33);
  });
});
