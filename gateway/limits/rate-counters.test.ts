import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { LocalStore } from './counter-store.ts';
import { FallbackStore, type FallbackStoreOptions } from './rate-counters.ts';

/** A Redis store whose counts are right, but whose replies wait for `reply`. */
function slowStore() {
  const store = new LocalStore(60);
  const { promise: mayReply, resolve: reply } = Promise.withResolvers<void>();
  const consume: FallbackStoreOptions['shared']['consume'] = async (bucket, points, limit) => {
    const count = store.consume(bucket, points, limit);
    await mayReply;
    return count;
  };
  const adjust: FallbackStoreOptions['shared']['adjust'] = async (bucket, points) =>
    store.adjust(bucket, points);
  const shared = {
    consume,
    adjust,
    problem: undefined,
    connected: async () => {},
    reconnect() {},
    close() {},
  };
  return { shared, reply, used: async () => store.consume('bucket', 0, 100).used };
}

const create = (shared: FallbackStoreOptions['shared'], timeoutMs: number, local = new LocalStore(60)) =>
  new FallbackStore({ shared, local, log: pino({ level: 'silent' }), timeoutMs });

afterEach(() => void vi.useRealTimers());

it('counts a request locally when Redis times out, and undoes the count of a late reply', async () => {
  const { shared, reply, used } = slowStore();
  const local = new LocalStore(60);
  const fallback = create(shared, 20, local);
  expect(await fallback.consume('bucket', 7, 10)).toMatchObject({ fits: true, used: 7, store: local });
  expect(fallback.isLocal).toBe(false);
  expect(await used()).toBe(7);
  reply();
  await waitFor('the refund', async () => (await used()) === 0);
  expect((await local.consume('bucket', 0, 10)).used).toBe(7);
});

it('refunds nothing when the late reply says that the request did not fit', async () => {
  const { shared, reply, used } = slowStore();
  await shared.adjust('bucket', 5);
  const fallback = create(shared, 20);
  expect((await fallback.consume('bucket', 7, 10)).fits).toBe(true);
  reply();
  const later = await fallback.consume('bucket', 5, 10);
  expect([later.used, await used()]).toEqual([10, 10]);
});

it('stops waiting for Redis after three timeouts in a row', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const fallback = create(slowStore().shared, 75);
  for (let n = 1; n <= 3; n++) {
    const counted = fallback.consume('bucket', 1, 10);
    await vi.advanceTimersByTimeAsync(74);
    expect(fallback.isLocal).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await counted).used).toBe(n);
  }
  expect([fallback.isLocal, fallback.outages]).toEqual([true, 1]);
  // The fake clock does not advance here.
  expect((await fallback.consume('bucket', 1, 10)).used).toBe(4);
  fallback.close();
});
