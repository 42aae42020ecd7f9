import { describe, expect, it } from 'vitest';
import { linearScale, logScale, namedScale } from './scale.ts';

describe('linearScale', () => {
  it.each([
    [9, [0, 2.5, 5, 7.5, 10]],
    [100, [0, 25, 50, 75, 100]],
    [1234, [0, 500, 1000, 1500]],
    [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
  ])('has round ticks up to %d', (most, ticks) => {
    const scale = linearScale(most);
    expect(scale.ticks).toEqual(ticks.map((tick) => expect.closeTo(tick, 9)));
    expect(scale.place(scale.ticks.at(-1) ?? 0)).toBeCloseTo(1);
    expect(scale.place(most)).toBeLessThanOrEqual(1 + 1e-9);
  });

  it('holds where all is 0', () => {
    expect(linearScale(0).place(0)).toBe(0);
  });
});

describe('logScale', () => {
  it('goes by powers of ten', () => {
    const scale = logScale(3, 250);
    expect(scale.ticks).toEqual([1, 10, 100, 1000]);
    expect(scale.place(10)).toBeCloseTo(1 / 3);
  });

  it('has a length where all values are one', () => {
    expect(logScale(10, 10).ticks).toEqual([10, 100]);
  });
});

describe('namedScale', () => {
  it('spreads names evenly, and puts a single one in the middle', () => {
    expect(namedScale(1).place(0)).toBe(0.5);
    const { place } = namedScale(3);
    expect(place(1) - place(0)).toBeCloseTo(place(2) - place(1));
  });
});
