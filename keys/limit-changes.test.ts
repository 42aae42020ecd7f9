import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Key } from './key.ts';
import { LimitChanges } from './limit-changes.ts';
import { createKey } from './secret.ts';

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2027, 0, 1) }));
afterEach(() => vi.useRealTimers());

const DAY = 86_400_000;

it('reports keys when they have changed, and at the end of each of their temporary limits', () => {
  const plain = createKey('plain', { limits: { concurrent: 2 } }, 0).key;
  const ends = [40 * DAY, 1000, 3000].map((ms) => Date.now() + ms);
  const temporaryLimits = ends.map((until, index) => ({ limits: { concurrent: index + 10 }, until }));
  let keys: readonly Key[] = [plain];
  const reported: unknown[] = [];
  const changes = new LimitChanges(
    () => keys,
    ({ id, limits }) => reported.push([id, limits.concurrent]),
  );
  expect([reported.splice(0), vi.getTimerCount()]).toEqual([[], 0]);
  keys = [{ ...plain, id: 'raised', temporaryLimits }];
  changes.check();
  expect(reported.splice(0)).toEqual([['raised', 12]]);
  vi.advanceTimersByTime(999);
  expect(reported).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(reported.splice(0)).toEqual([['raised', 12]]);
  vi.advanceTimersByTime(2000);
  expect(reported.splice(0)).toEqual([['raised', 10]]);
  vi.advanceTimersByTime(40 * DAY - 3000);
  expect(reported.at(-1)).toEqual(['raised', 2]);
  expect(vi.getTimerCount()).toBe(0);
  keys = [{ ...plain, temporaryLimits: [{ limits: {}, until: Date.now() + 1 }] }];
  changes.check();
  changes[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
