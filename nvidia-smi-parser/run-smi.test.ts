import { expect, it } from 'vitest';
import { nextRestart } from './run-smi.ts';

const failedRun = { ranForMs: 100, producedSamples: false, queryChanged: false, freshForMs: 10_000 };

it('the delay doubles up to one minute', () => {
  let failures = 0;
  const delays = Array.from({ length: 9 }, () => {
    const next = nextRestart(failedRun, failures);
    failures = next.failures;
    return next.delayMs;
  });
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('the delay is reset only by a long run that produced samples', () => {
  const successful = { ...failedRun, producedSamples: true, freshForMs: 1e9 };
  expect(nextRestart({ ...successful, ranForMs: 60_000 }, 5)).toEqual({ delayMs: 1000, failures: 1 });
  expect(nextRestart({ ...successful, ranForMs: 59_999 }, 5)).toEqual({ delayMs: 32_000, failures: 6 });
  expect(nextRestart({ ...failedRun, ranForMs: 60_000 }, 5).delayMs).toBe(32_000);
});

it.each([0, 3, 9, 100])(
  'a run that produced samples is restarted before they expire, after %i failures',
  (failures) => {
    for (const freshForMs of [2000, 10_000, 600_000]) {
      const { delayMs } = nextRestart({ ...failedRun, producedSamples: true, freshForMs }, failures);
      expect(delayMs).toBeLessThanOrEqual(freshForMs / 4);
    }
  },
);

it('a changed query is run at once', () => {
  expect(nextRestart({ ...failedRun, queryChanged: true }, 3)).toEqual({ delayMs: 0, failures: 3 });
});
