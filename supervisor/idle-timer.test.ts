import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DAY } from '../settings/durations.ts';
import { IdleTimer } from './idle-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function clockOf(limitMs: number | undefined) {
  const onLimit = vi.fn();
  return { clock: new IdleTimer({ limitMs, onLimit }), onLimit };
}

it('the idle time starts at the end of the last activity, and the boot is the first', () => {
  const { clock, onLimit } = clockOf(10_000);
  vi.advanceTimersByTime(60_000);
  expect([clock.idleMs, onLimit.mock.calls.length]).toEqual([0, 0]);
  clock.end('boot');
  vi.advanceTimersByTime(9000);
  expect(clock.idleMs).toBe(9000);
  clock.start('requests');
  vi.advanceTimersByTime(60_000);
  expect([clock.idleMs, onLimit.mock.calls.length]).toEqual([0, 0]);
  clock.end('requests', 1000);
  vi.advanceTimersByTime(8999);
  expect(onLimit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLimit).toHaveBeenCalledOnce();
});

it('the deployment is not idle during any activity', () => {
  const { clock, onLimit } = clockOf(1000);
  clock.start('requests');
  clock.end('boot');
  clock.start('replacement');
  clock.end('requests');
  vi.advanceTimersByTime(5000);
  expect([clock.idleMs, onLimit.mock.calls.length]).toEqual([0, 0]);
  clock.end('replacement');
  vi.advanceTimersByTime(1000);
  expect(onLimit).toHaveBeenCalledOnce();
});

it('the end of an activity that was not started changes nothing', () => {
  const { clock } = clockOf(undefined);
  clock.end('boot');
  vi.advanceTimersByTime(3000);
  clock.end('requests');
  expect(clock.idleMs).toBe(3000);
});

it('limits longer than any timer work', () => {
  const { clock, onLimit } = clockOf(60 * DAY);
  clock.end('boot');
  vi.advanceTimersByTime(59 * DAY);
  expect(onLimit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY);
  expect(onLimit).toHaveBeenCalledOnce();
});

it('there is no limit if none is set, or after it was closed', () => {
  for (const limitMs of [undefined, 0, 5000]) {
    const { clock, onLimit } = clockOf(limitMs);
    clock.end('boot');
    clock.close();
    vi.advanceTimersByTime(10_000);
    expect(onLimit).not.toHaveBeenCalled();
  }
});
