import { expect, it, vi } from 'vitest';
import { cacheFor } from './cache-for.ts';

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
  vi.useRealTimers();
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
  let calls = 0;
  const load = cacheFor(1000, async () => {
    calls += 1;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return calls;
  });
  const first = load();
  await vi.advanceTimersByTimeAsync(4000);
  const second = load();
  await vi.advanceTimersByTimeAsync(1500);
  expect([await first, await second, await load(), calls]).toEqual([1, 1, 1, 1]);
  vi.useRealTimers();
});
