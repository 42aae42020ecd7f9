import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DemandReporter } from './demand-reporter.ts';

let waiting: number;
let sent: number[];
let reporter: DemandReporter;

beforeEach(() => {
  vi.useFakeTimers();
  waiting = 0;
  sent = [];
  reporter = new DemandReporter(
    () => ({ models: { a: { waiting, oldestWaitMs: performance.now() } }, leases: {} }),
    ({ models }) => sent.push(models.a?.waiting ?? 0),
  );
});
afterEach(() => {
  reporter[Symbol.dispose]();
  vi.useRealTimers();
});

function change(to: number): void {
  waiting = to;
  reporter.notify();
}

it('reports the first change at once, and the next after half a second', async () => {
  change(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toEqual([1]);
  change(2);
  change(3);
  await vi.advanceTimersByTimeAsync(400);
  expect(sent).toEqual([1]);
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toEqual([1, 3]);
});

it('reports nothing that has not changed', async () => {
  change(1);
  await vi.advanceTimersByTimeAsync(600);
  change(2);
  change(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(sent).toEqual([1]);
});
