import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { waitFor } from '../../scripts/harness/wait-for.ts';
import { LocalCounts } from './local-counts.ts';
import { SteadfastCounts, type SteadfastParts } from './steadfast-counts.ts';

/** Shared counts that are right, and answer once they are let. */
function slowCounts() {
  const counts = new LocalCounts(60);
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
  const take: LocalCounts['take'] = async (bucket, points, limit) => {
    const count = await counts.take(bucket, points, limit);
    await mayAnswer;
    return count;
  };
  const change: LocalCounts['change'] = (bucket, points) => counts.change(bucket, points);
  const shared = { take, change, problem: undefined, connected: async () => {}, reconnect() {}, close() {} };
  return { shared, answer, taken: async () => (await counts.take('bucket', 0, 100)).taken };
}

const open = (shared: SteadfastParts['shared'], patienceMs: number, local = new LocalCounts(60)) =>
  new SteadfastCounts({ shared, local, log: pino({ level: 'silent' }), patienceMs });

afterEach(() => void vi.useRealTimers());

it('counts a request here whose shared count is late, and no longer there when that comes', async () => {
  const { shared, answer, taken } = slowCounts();
  const local = new LocalCounts(60);
  const steadfast = open(shared, 20, local);
  expect(await steadfast.take('bucket', 7, 10)).toMatchObject({ fits: true, taken: 7, by: local });
  expect(steadfast.isAlone).toBe(false);
  expect(await taken()).toBe(7);
  answer();
  await waitFor('it to be given back', async () => (await taken()) === 0);
  expect((await local.take('bucket', 0, 10)).taken).toBe(7);
});

it('gives back nothing of a request that did not fit', async () => {
  const { shared, answer, taken } = slowCounts();
  await shared.change('bucket', 5);
  const steadfast = open(shared, 20);
  expect((await steadfast.take('bucket', 7, 10)).fits).toBe(true);
  answer();
  const later = await steadfast.take('bucket', 5, 10);
  expect([later.taken, await taken()]).toEqual([10, 10]);
});

it('has nobody wait any more after three late answers in a row', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const steadfast = open(slowCounts().shared, 75);
  for (let n = 1; n <= 3; n++) {
    const counting = steadfast.take('bucket', 1, 10);
    await vi.advanceTimersByTimeAsync(74);
    expect(steadfast.isAlone).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await counting).taken).toBe(n);
  }
  expect([steadfast.isAlone, steadfast.losses]).toEqual([true, 1]);
  // Time stands still.
  expect((await steadfast.take('bucket', 1, 10)).taken).toBe(4);
  steadfast.close();
});
