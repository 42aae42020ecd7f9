import { expect, it } from 'vitest';
import { RecentUse } from './recent-use.ts';

const [minute, hour] = [60_000, 3_600_000];

it('recent use grows with requests and fades after them', () => {
  const use = new RecentUse();
  expect(use.at(hour)).toBe(0);
  use.record(2, hour);
  expect(use.at(hour + 10 * minute)).toBeCloseTo(1);
  use.record(0, hour + 10 * minute);
  expect(use.at(hour + 20 * minute)).toBeCloseTo(0.5);
});

it('recent use of steady requests does not depend on how often it is recorded', () => {
  const [often, once] = [new RecentUse(), new RecentUse()];
  once.record(3, 0);
  for (let now = 0; now < hour; now += minute) often.record(3, now);
  expect(often.at(hour)).toBeCloseTo(once.at(hour));
});
