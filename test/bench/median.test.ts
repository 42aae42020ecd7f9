import { describe, expect, it } from 'vitest';
import { median, ratio } from './median.ts';

describe('median', () => {
  it('is the middle one, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('ratio', () => {
  it('is the median of the ratios within a round', () => {
    expect(ratio([500, 500, 1200], [1000, 2000, 4000])).toBe(0.3);
  });

  it('is none where there is nothing to compare with', () => {
    expect(ratio([500], [])).toBeNaN();
  });
});
