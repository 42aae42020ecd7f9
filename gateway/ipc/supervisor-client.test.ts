import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reportActivity } from './supervisor-client.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports the first request at once, and their absence after a delay', () => {
  const send = vi.fn();
  const report = reportActivity(send);
  report(1);
  report(2);
  expect(send.mock.calls).toEqual([[{ kind: 'busy' }]]);
  report(1);
  report(0);
  vi.advanceTimersByTime(999);
  expect(send).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1);
  expect(send).toHaveBeenLastCalledWith({ kind: 'idle', forMs: 1000 });
});

it('sends nothing while one request follows another', () => {
  const send = vi.fn();
  const report = reportActivity(send);
  for (let n = 0; n < 1000; n++) {
    report(1);
    report(0);
    vi.advanceTimersByTime(500);
  }
  expect(send.mock.calls).toEqual([[{ kind: 'busy' }]]);
});
