import { describe, expect, it } from 'vitest';
import { seededRandom } from '../demo-model/seeded-random.ts';
import { arrivalTimes, latencyStart } from './arrivals.ts';

describe('arrivalTimes', () => {
  it('comes evenly, without drifting', () => {
    expect([...arrivalTimes(3, 'uniform').take(4)]).toEqual([0, 1000 / 3, 2000 / 3, 1000]);
    expect(arrivalTimes(3, 'uniform').drop(3_000_000).next().value).toBe(1_000_000_000);
  });

  it('comes by chance, with the wanted rate, gaps spread as those of independent people', () => {
    const times = [...arrivalTimes(50, 'poisson', seededRandom(7)).take(20_001)];
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(20, 0);
    // The mark of the exponential distribution: as wide as it is long.
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
  });
});

describe('countsFrom', () => {
  it('counts from the intended start where the request was sent late', () => {
    expect(latencyStart(100, 250)).toBe(100);
  });

  it('does not blame the server for the grain of the timer', () => {
    expect(latencyStart(100, 101.1)).toBe(101.1);
  });
});
