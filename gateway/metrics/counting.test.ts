import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedLabel, HistogramData } from './counting.ts';

describe('a histogram', () => {
  it('counts a value equal to a bound in the bucket of that bound', () => {
    const histogram = new HistogramData([1, 2]);
    for (const value of [0, 1, 1.5, 2, 3]) histogram.observe(value);
    expect(histogram.cumulativeCounts).toEqual([2, 4, 5]);
    expect(histogram.sum).toBe(7.5);
  });

  it('returns cumulative counts', () => {
    const bounds = [0.1, 1, 10, 100];
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1000, noNaN: true })), (values) => {
        const histogram = new HistogramData(bounds);
        for (const value of values) histogram.observe(value);
        const expected = [...bounds, Infinity].map(
          (bound) => values.filter((value) => value <= bound).length,
        );
        expect(histogram.cumulativeCounts).toEqual(expected);
      }),
    );
  });
});

it('keeps a limited number of values and maps all later ones to "other"', () => {
  const label = new BoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd'].map((value) => label.limit(value))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
  ]);
});
