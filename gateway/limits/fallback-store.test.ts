import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { FallbackStore, type FallbackStoreOptions } from './fallback-store.ts';
import { LocalStore } from './local-store.ts';

/** Shared counts that are right, and answer once they are let. */
function slowCounts() {
  const counts = new LocalStore(60);
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
  const take: LocalStore['consume'] = async (bucket, points, limit) => {
    const count = await counts.consume(bucket, points, limit);
    await mayAnswer;
    return count;
  };
  const change: LocalStore['adjust'] = (bucket, points) => counts.adjust(bucket, points);
  const shared = {
    consume: take,
    adjust: change,
    problem: undefined,
    connected: async () => {},
    reconnect() {},
    close() {},
  };
  return { shared, answer, taken: async () => (await counts.consume('bucket', 0, 100)).used };
}

const open = (shared: FallbackStoreOptions['shared'], patienceMs: number, local = new LocalStore(60)) =>
  new FallbackStore({ shared, local, log: pino({ level: 'silent' }), patienceMs });

afterEach(() => void vi.useRealTimers());

it('counts a request here whose shared count is late, and no longer there when that comes', async () => {
  const { shared, answer, taken } = slowCounts();
  const local = new LocalStore(60);
  const steadfast = open(shared, 20, local);
  expect(await steadfast.consume('bucket', 7, 10)).toMatchObject({ fits: true, used: 7, store: local });
  expect(steadfast.isLocal).toBe(false);
  expect(await taken()).toBe(7);
  answer();
  await waitFor('it to be given back', async () => (await taken()) === 0);
  expect((await local.consume('bucket', 0, 10)).used).toBe(7);
});

it('gives back nothing of a request that did not fit', async () => {
  const { shared, answer, taken } = slowCounts();
  await shared.adjust('bucket', 5);
  const steadfast = open(shared, 20);
  expect((await steadfast.consume('bucket', 7, 10)).fits).toBe(true);
  answer();
  const later = await steadfast.consume('bucket', 5, 10);
  expect([later.used, await taken()]).toEqual([10, 10]);
});

it('has nobody wait any more after three late answers in a row', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const steadfast = open(slowCounts().shared, 75);
  for (let n = 1; n <= 3; n++) {
    const counting = steadfast.consume('bucket', 1, 10);
    await vi.advanceTimersByTimeAsync(74);
    expect(steadfast.isLocal).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await counting).used).toBe(n);
  }
  expect([steadfast.isLocal, steadfast.losses]).toEqual([true, 1]);
  // Time stands still.
  expect((await steadfast.consume('bucket', 1, 10)).used).toBe(4);
  steadfast.close();
});
