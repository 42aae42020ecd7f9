import { expect, it } from 'vitest';
import { nextStart } from './next-start.ts';

const ran = { ranForMs: 100, wasOfUse: false, asksAnew: false };

it('waits longer each time, up to a minute', () => {
  let failures = 0;
  const delays = Array.from({ length: 9 }, () => {
    const next = nextStart(ran, failures);
    failures = next.failures;
    return next.delayMs;
  });
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('begins anew after a run that was long and of use, and only then', () => {
  expect(nextStart({ ...ran, ranForMs: 60_000, wasOfUse: true }, 5).delayMs).toBe(1000);
  expect(nextStart({ ...ran, ranForMs: 59_999, wasOfUse: true }, 5).delayMs).toBe(32_000);
  expect(nextStart({ ...ran, ranForMs: 60_000 }, 5).delayMs).toBe(32_000);
});

it('asks anew at once', () => {
  expect(nextStart({ ...ran, asksAnew: true }, 3)).toEqual({ delayMs: 0, failures: 3 });
});
