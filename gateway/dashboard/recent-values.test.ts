import { expect, it } from 'vitest';
import { RecentValues } from './recent-values.ts';

it('computes quantiles of recent values only', () => {
  const values = new RecentValues(100, 1000);
  for (let n = 1; n <= 100; n++) values.add(n, n);
  expect(values.quantiles([0.5, 0.95, 1], 100)).toEqual([50, 95, 100]);
  expect(values.quantiles([0, 0.5], 190)).toEqual([91, 95]);
  expect(values.quantiles([0.5, 0.95], 200)).toEqual([null, null]);
});

it('keeps a limited number of values', () => {
  const values = new RecentValues(100, 10);
  for (let n = 1; n <= 20; n++) values.add(n, 0);
  expect(values.quantiles([0, 1], 0)).toEqual([11, 20]);
});
