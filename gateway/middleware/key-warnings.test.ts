import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Key } from '../../keys/key.ts';
import { createKey } from '../../keys/new-key.ts';
import { KeyWarnings } from './key-warnings.ts';

const hour = 3_600_000;
beforeEach(() => vi.useFakeTimers({ now: Date.parse('2027-03-01T22:00:00Z') }));
afterEach(() => vi.useRealTimers());

function watchKeys(...ids: string[]) {
  const told: string[] = [];
  let keys: readonly Key[] = ids.map(
    (id) => createKey(id, { expires: Date.now() + 72 * hour }, Date.now()).key,
  );
  const warnings = new KeyWarnings({
    keys: () => keys,
    maxAgeMs: undefined,
    warn: (words) => told.push(words),
  });
  const change = (next: readonly Key[]) => {
    keys = next;
    warnings.check();
  };
  return { told, warnings, change };
}

it('each key is told of once a day, until it has ended', () => {
  const { told, warnings } = watchKeys('app', 'web');
  expect(told).toEqual([
    'key "app" expires at 2027-03-04T22:00:00Z',
    'key "web" expires at 2027-03-04T22:00:00Z',
  ]);
  vi.advanceTimersByTime(hour);
  expect(told).toHaveLength(2);
  vi.advanceTimersByTime(2 * hour);
  expect(told).toHaveLength(4);
  vi.advanceTimersByTime(240 * hour);
  expect(told).toHaveLength(8);
  warnings.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('a key that is new is told of at once', () => {
  const { told, warnings, change } = watchKeys('app');
  change([
    createKey('app', { expires: Date.now() + hour }, 0).key,
    createKey('new', { expires: Date.now() + hour }, 0).key,
  ]);
  expect(told.map((words) => words.split(' ')[1])).toEqual(['"app"', '"new"']);
  warnings.close();
});
