import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reportActivity } from './report-activity.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tells at once that somebody has come, and after a while that nobody is there', () => {
  const tell = vi.fn();
  const count = reportActivity(tell);
  count(1);
  count(2);
  expect(tell.mock.calls).toEqual([[{ kind: 'busy' }]]);
  count(1);
  count(0);
  vi.advanceTimersByTime(999);
  expect(tell).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1);
  expect(tell).toHaveBeenLastCalledWith({ kind: 'idle', forMs: 1000 });
});

it('says nothing while one request follows the other', () => {
  const tell = vi.fn();
  const count = reportActivity(tell);
  for (let n = 0; n < 1000; n++) {
    count(1);
    count(0);
    vi.advanceTimersByTime(500);
  }
  expect(tell.mock.calls).toEqual([[{ kind: 'busy' }]]);
});
