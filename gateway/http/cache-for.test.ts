import { expect, it, vi } from 'vitest';
import { cacheFor } from './cache-for.ts';

it('loads once for concurrent callers, and again when the value has expired', async () => {
  vi.useFakeTimers();
  let asked = 0;
  const answer = cacheFor(1000, async () => {
    asked += 1;
    return asked;
  });
  expect(await Promise.all([answer(), answer()])).toEqual([1, 1]);
  vi.advanceTimersByTime(999);
  expect(await answer()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await answer()).toBe(2);
  vi.useRealTimers();
});

it('loads again after a failure', async () => {
  const outcomes = [
    () => Promise.reject(new Error('away')),
    () => {
      throw new Error('broken');
    },
    async () => 'back',
  ];
  const answer = cacheFor(1000, () => (outcomes.shift() ?? (() => Promise.resolve('late')))());
  await expect(answer()).rejects.toThrow('away');
  await expect(answer()).rejects.toThrow('broken');
  expect(await answer()).toBe('back');
  expect(await answer()).toBe('back');
});

it('measures the age of a value from its arrival', async () => {
  vi.useFakeTimers();
  let asked = 0;
  const answer = cacheFor(1000, async () => {
    asked += 1;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return asked;
  });
  const first = answer();
  await vi.advanceTimersByTimeAsync(4000);
  const second = answer();
  await vi.advanceTimersByTimeAsync(1500);
  expect([await first, await second, await answer(), asked]).toEqual([1, 1, 1, 1]);
  vi.useRealTimers();
});
