import { afterEach, expect, it, vi } from 'vitest';
import { cacheFor } from './cache-for.ts';

afterEach(() => vi.useRealTimers());

it('loads once for concurrent callers, and again when the value has expired', async () => {
  vi.useFakeTimers();
  let calls = 0;
  const load = cacheFor(1000, async () => {
    calls += 1;
    return calls;
  });
  expect(await Promise.all([load(), load()])).toEqual([1, 1]);
  vi.advanceTimersByTime(999);
  expect(await load()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await load()).toBe(2);
});

it('loads again after a failure', async () => {
  const outcomes = [
    () => Promise.reject(new Error('unreachable')),
    () => {
      throw new Error('broken');
    },
    async () => 'back',
  ];
  const load = cacheFor(1000, () => (outcomes.shift() ?? (() => Promise.resolve('late')))());
  await expect(load()).rejects.toThrow('unreachable');
  await expect(load()).rejects.toThrow('broken');
  expect(await load()).toBe('back');
  expect(await load()).toBe('back');
});

it('measures the age of a value from its arrival', async () => {
  vi.useFakeTimers();
  const { promise, resolve } = Promise.withResolvers<string>();
  const source = vi.fn(() => promise);
  const load = cacheFor(1000, source);
  const first = load();
  vi.advanceTimersByTime(5000);
  const second = load();
  resolve('late');
  expect([await first, await second]).toEqual(['late', 'late']);
  vi.advanceTimersByTime(999);
  expect(await load()).toBe('late');
  expect(source).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(await load()).toBe('late');
  expect(source).toHaveBeenCalledTimes(2);
});
