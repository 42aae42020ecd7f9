import { expect, it } from 'vitest';
import { ModelUsage } from './model-usage.ts';

it('has the start of the longest wait', () => {
  const usage = new ModelUsage(0);
  expect(usage.wantedSince).toBeUndefined();
  usage.record(0, { waiting: 2, oldestWaitMs: 300 }, 1000);
  expect(usage.wantedSince).toBe(700);
  usage.request(500);
  usage.request(900);
  expect(usage.wantedSince).toBe(500);
  usage.loaded(2000);
  expect(usage.wantedSince).toBe(700);
  usage.record(0, undefined, 3000);
  expect(usage.wantedSince).toBeUndefined();
});

it('is idle from the end of its last use', () => {
  const usage = new ModelUsage(100);
  expect(usage.idleSince).toBe(100);
  usage.record(1, undefined, 1000);
  expect([usage.leases, usage.idleSince]).toEqual([1, undefined]);
  usage.record(0, { waiting: 1, oldestWaitMs: 0 }, 2000);
  expect(usage.idleSince).toBeUndefined();
  usage.record(0, undefined, 3000);
  usage.record(0, undefined, 4000);
  expect(usage.idleSince).toBe(3000);
  expect(usage.recentUse(4000)).toBeGreaterThan(0);
});

it('is not used by lines of batches, but has them', () => {
  const usage = new ModelUsage(100);
  usage.record(2, { waiting: 0, oldestWaitMs: 0, lineLeases: 2 }, 1000);
  expect([usage.leases, usage.hasLines, usage.idleSince, usage.wantedSince]).toEqual([
    2,
    true,
    100,
    undefined,
  ]);
  usage.record(3, { waiting: 0, oldestWaitMs: 0, lineLeases: 2 }, 2000);
  expect(usage.idleSince).toBeUndefined();
  usage.record(0, { waiting: 0, oldestWaitMs: 0, lineLeases: 0 }, 3000);
  expect([usage.hasLines, usage.idleSince]).toEqual([true, 3000]);
  usage.record(0, undefined, 4000);
  expect(usage.hasLines).toBe(false);
});
