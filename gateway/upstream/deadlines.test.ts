import { beforeEach, expect, it, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

let deadlines: Deadlines;

beforeEach(() => {
  vi.useFakeTimers();
  deadlines = new Deadlines();
  return () => vi.useRealTimers();
});

/** Something that may take so long, and removes itself when that has passed. */
function watch(ms: number) {
  const timed = {
    deadline: deadlines.after(ms),
    watchKey: undefined as number | undefined,
    passedAfter: undefined as number | undefined,
    onDeadline: () => {
      timed.passedAfter = performance.now() - startedAt;
      deadlines.delete(timed);
    },
  };
  const startedAt = performance.now();
  deadlines.add(timed);
  return timed;
}

it.each([1, 100, 249, 250, 1000, 10_000])('notices a deadline after %d ms, never early', (ms) => {
  vi.advanceTimersByTime(100);
  const timed = watch(ms);
  vi.advanceTimersByTime(ms + 500);
  expect(timed.passedAfter).toBeGreaterThanOrEqual(ms);
});

it('heeds a deadline that has moved, no limit, and an end before the deadline', () => {
  const [moved, unlimited, ended] = [watch(1000), watch(0), watch(1000)];
  vi.advanceTimersByTime(900);
  moved.deadline = deadlines.after(5000);
  deadlines.delete(ended);
  vi.advanceTimersByTime(5000);
  expect([moved.passedAfter, unlimited.passedAfter, ended.passedAfter]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  vi.advanceTimersByTime(600);
  expect(moved.passedAfter).toBeGreaterThanOrEqual(5900);
  deadlines.delete(unlimited);
});

it('has no timer while nothing is watched', () => {
  watch(1000);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(2000);
  expect(vi.getTimerCount()).toBe(0);
});
