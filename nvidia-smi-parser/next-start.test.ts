import { expect, it } from 'vitest';
import { nextStart } from './next-start.ts';

const ran = { ranForMs: 100, wasOfUse: false, asksAnew: false, freshForMs: 10_000 };

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
  const useful = { ...ran, wasOfUse: true, freshForMs: 1e9 };
  expect(nextStart({ ...useful, ranForMs: 60_000 }, 5)).toEqual({ delayMs: 1000, failures: 1 });
  expect(nextStart({ ...useful, ranForMs: 59_999 }, 5)).toEqual({ delayMs: 32_000, failures: 6 });
  expect(nextStart({ ...ran, ranForMs: 60_000 }, 5).delayMs).toBe(32_000);
});

it.each([0, 3, 9, 100])('follows a run of use before its figures are old, after %i failures', (failures) => {
  for (const freshForMs of [2000, 10_000, 600_000]) {
    const { delayMs } = nextStart({ ...ran, wasOfUse: true, freshForMs }, failures);
    expect(delayMs).toBeLessThanOrEqual(freshForMs / 4);
  }
});

it('asks anew at once', () => {
  expect(nextStart({ ...ran, asksAnew: true }, 3)).toEqual({ delayMs: 0, failures: 3 });
});
