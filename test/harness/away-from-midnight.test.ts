import { expect, it } from 'vitest';
import { waitForNextDay } from './away-from-midnight.ts';

it.each([
  ['2026-12-31T23:57:59.000Z', 0],
  ['2026-12-31T23:58:30.000Z', 90_000],
  ['2026-12-31T23:59:59.999Z', 1],
  ['2027-01-01T00:00:00.000Z', 0],
])('a test file that would begin at %s waits %i ms', (now, wait) => {
  expect(waitForNextDay(Date.parse(now))).toBe(wait);
});
