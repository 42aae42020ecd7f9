import { describe, expect, it } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { seededRandom } from '../demo-model/matrix.ts';
import { arrivalTimes, latencyStart, measureClientLoad, Quota, wasBottleneck } from './run-step.ts';

describe('arrivalTimes', () => {
  it('is evenly spaced without drift', () => {
    expect([...arrivalTimes(3, 'uniform').take(4)]).toEqual([0, 1000 / 3, 2000 / 3, 1000]);
    expect(arrivalTimes(3, 'uniform').drop(3_000_000).next().value).toBe(1_000_000_000);
  });

  it('is a Poisson process with the wanted rate', () => {
    const times = [...arrivalTimes(50, 'poisson', seededRandom(7)).take(20_001)];
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(20, 0);
    // In an exponential distribution, the standard deviation equals the mean.
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
  });
});

describe('latencyStart', () => {
  it('is the scheduled start if the request was sent late', () => {
    expect(latencyStart(100, 250)).toBe(100);
  });

  it('is the actual start within the precision of the timer', () => {
    expect(latencyStart(100, 101.1)).toBe(101.1);
  });
});

describe('Quota', () => {
  it('measures requests that start between the warm-up and the end', () => {
    const quota = new Quota({ from: 100, until: 200, requests: null });
    expect([0, 99, 100, 199, 200].map((at) => quota.next(at))).toEqual([
      'warm-up',
      'warm-up',
      'measured',
      'measured',
      'over',
    ]);
  });

  it('measures at most the given number, not counting the warm-up', () => {
    const quota = new Quota({ from: 100, until: Number.POSITIVE_INFINITY, requests: 2 });
    expect([50, 60, 110, 120, 130].map((at) => quota.next(at))).toEqual([
      'warm-up',
      'warm-up',
      'measured',
      'measured',
      'over',
    ]);
  });
});

describe('measureClientLoad', () => {
  it('reports a busy process', async () => {
    const end = measureClientLoad();
    let checks = 0;
    await waitFor('some checks', () => {
      const busyUntil = performance.now() + 30;
      while (performance.now() < busyUntil);
      checks += 1;
      return checks === 10;
    });
    const { cpu, loop, lagMs, wasBottleneck: wasIt } = end();
    expect(cpu).toBeGreaterThan(0);
    expect(loop).toBeGreaterThan(0);
    expect(lagMs).toBeGreaterThan(20);
    expect(wasIt).toBe(true);
  });
});

describe('wasBottleneck', () => {
  it.each([
    [{ loop: 0.5, lagMs: 2 }, false],
    [{ loop: 0.9, lagMs: 2 }, true],
    [{ loop: 0.5, lagMs: 30 }, true],
  ])('returns for %j %s', (seen, expected) => {
    expect(wasBottleneck(seen)).toBe(expected);
  });
});
