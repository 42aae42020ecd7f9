import { describe, expect, it } from 'vitest';
import { curveShares } from './report.ts';
import { LatencyHistogram, Timeline } from './step-tally.ts';

function spreadOf(values: Iterable<number>) {
  const distribution = new LatencyHistogram();
  for (const value of values) distribution.add(value);
  return distribution.summary();
}

describe('LatencyHistogram', () => {
  it('returns null without values', () => {
    expect(spreadOf([])).toBeNull();
  });

  it('is accurate to a thousandth', () => {
    const summary = spreadOf(Array.from({ length: 10_000 }, (_, n) => n + 1));
    const near = { p50: 5000, p90: 9000, p95: 9500, p99: 9900, max: 10_000, mean: 5000.5 };
    for (const [name, value] of Object.entries(near)) {
      const reported = summary?.[name as 'p50'] ?? 0;
      expect(Math.abs(reported - value) / value, name).toBeLessThan(0.0011);
    }
    expect(summary?.count).toBe(10_000);
  });

  it('returns a rising curve from the minimum to the maximum', () => {
    const { curve, max } = spreadOf([5, 1, 9, 3, 7]) ?? { curve: [], max: 0 };
    expect(curve).toHaveLength(curveShares.length);
    expect(curve).toEqual(curve.toSorted((a, b) => a - b));
    expect(curve[0]).toBeCloseTo(1, 2);
    expect(curve.at(-1)).toBe(max);
  });

  it('returns a single value exactly, and rounds values below its resolution up', () => {
    expect(spreadOf([12.345])).toMatchObject({ p50: expect.closeTo(12.345, 1), count: 1 });
    expect(spreadOf([0, 0])).toMatchObject({ p50: 0.001, max: 0.001 });
  });
});

describe('Timeline', () => {
  it('counts each second separately, including empty ones', () => {
    const timeline = new Timeline(1000);
    timeline.firstToken(1100, 40);
    timeline.firstToken(1200, 60);
    timeline.firstToken(1300, 50);
    for (const at of [1100, 1999, 3000]) timeline.chunk(at);
    timeline.done(3001);
    timeline.failed(3999.9);
    expect(timeline.moments(2)).toEqual([
      { second: 0, requestsPerSecond: 0, failuresPerSecond: 0, tokensPerSecond: 4, ttftMs: 50 },
      { second: 1, requestsPerSecond: 0, failuresPerSecond: 0, tokensPerSecond: 0, ttftMs: null },
      { second: 2, requestsPerSecond: 1, failuresPerSecond: 1, tokensPerSecond: 2, ttftMs: null },
    ]);
  });

  it('ignores events before the measurement', () => {
    const timeline = new Timeline(1000);
    timeline.chunk(999);
    expect(timeline.moments(1)).toEqual([]);
  });

  it('combines a long run into at most 300 moments with the same sums', () => {
    const timeline = new Timeline(0);
    for (let second = 0; second < 3600; second++) timeline.chunk(second * 1000);
    const moments = timeline.moments(1);
    expect(moments).toHaveLength(300);
    expect(moments.every(({ tokensPerSecond }) => tokensPerSecond === 1)).toBe(true);
    expect(moments.at(-1)?.second).toBe(299 * 12);
  });
});
