import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './distribution.ts';
import { curveShares } from './report.ts';

function spreadOf(values: Iterable<number>) {
  const distribution = new LatencyHistogram();
  for (const value of values) distribution.add(value);
  return distribution.summary();
}

describe('Distribution', () => {
  it('has nothing to tell of nothing', () => {
    expect(spreadOf([])).toBeNull();
  });

  it('is right to a thousandth', () => {
    const spread = spreadOf(Array.from({ length: 10_000 }, (_, n) => n + 1));
    const near = { p50: 5000, p90: 9000, p95: 9500, p99: 9900, max: 10_000, mean: 5000.5 };
    for (const [name, value] of Object.entries(near)) {
      const told = spread?.[name as 'p50'] ?? 0;
      expect(Math.abs(told - value) / value, name).toBeLessThan(0.0011);
    }
    expect(spread?.count).toBe(10_000);
  });

  it('gives the curve of all shares, rising, from the least to the greatest', () => {
    const { curve, max } = spreadOf([5, 1, 9, 3, 7]) ?? { curve: [], max: 0 };
    expect(curve).toHaveLength(curveShares.length);
    expect(curve).toEqual(curve.toSorted((a, b) => a - b));
    expect(curve[0]).toBeCloseTo(1, 2);
    expect(curve.at(-1)).toBe(max);
  });

  it('tells one value as itself, and takes what is below its grain for its grain', () => {
    expect(spreadOf([12.345])).toMatchObject({ p50: expect.closeTo(12.345, 1), count: 1 });
    expect(spreadOf([0, 0])).toMatchObject({ p50: 0.001, max: 0.001 });
  });
});
