import { expect, it } from 'vitest';
import { durationIntervals, rollingMeans, rollingSums, roundIntervals } from './page/series.js';
import type { StatsSample } from './stats-sampler.ts';

const samples = [0, 1000, 2000, 9000, 10_000].map(
  (at, index) => ({ at, tokens: 10 ** index }) as StatsSample,
);
const tokens = ({ tokens }: StatsSample) => tokens;

it('adds up the last seconds by time, also where idle seconds are missing', () => {
  expect(rollingSums(samples, tokens, 2)).toEqual([1, 11, 110, 1000, 11_000]);
  expect(rollingSums(samples, tokens, 60)).toEqual([1, 11, 111, 1111, 11_111]);
  expect(rollingMeans(samples, tokens, 2)).toEqual([0.5, 5.5, 55, 500, 5500]);
  expect(rollingSums([], tokens, 2)).toEqual([]);
});

it('has axes with round intervals, in ascending order', () => {
  expect(roundIntervals(1).slice(0, 6)).toEqual([1, 2, 5, 10, 20, 50]);
  for (const intervals of [roundIntervals(1), durationIntervals])
    expect(intervals).toEqual(intervals.toSorted((a, b) => a - b));
});
