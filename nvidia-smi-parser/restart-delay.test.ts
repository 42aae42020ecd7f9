import { expect, it } from 'vitest';
import { nextRestart } from './restart-delay.ts';

const ran = { ranForMs: 100, producedSamples: false, queryChanged: false, freshForMs: 10_000 };

it('waits longer each time, up to a minute', () => {
  let failures = 0;
  const delays = Array.from({ length: 9 }, () => {
    const next = nextRestart(ran, failures);
    failures = next.failures;
    return next.delayMs;
  });
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('begins anew after a run that was long and of use, and only then', () => {
  const useful = { ...ran, producedSamples: true, freshForMs: 1e9 };
  expect(nextRestart({ ...useful, ranForMs: 60_000 }, 5)).toEqual({ delayMs: 1000, failures: 1 });
  expect(nextRestart({ ...useful, ranForMs: 59_999 }, 5)).toEqual({ delayMs: 32_000, failures: 6 });
  expect(nextRestart({ ...ran, ranForMs: 60_000 }, 5).delayMs).toBe(32_000);
});

it.each([0, 3, 9, 100])('follows a run of use before its figures are old, after %i failures', (failures) => {
  for (const freshForMs of [2000, 10_000, 600_000]) {
    const { delayMs } = nextRestart({ ...ran, producedSamples: true, freshForMs }, failures);
    expect(delayMs).toBeLessThanOrEqual(freshForMs / 4);
  }
});

it('asks anew at once', () => {
  expect(nextRestart({ ...ran, queryChanged: true }, 3)).toEqual({ delayMs: 0, failures: 3 });
});
