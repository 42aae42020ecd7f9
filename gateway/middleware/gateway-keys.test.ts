import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Key } from '../../keys/key.ts';
import { createKey } from '../../keys/secret.ts';
import { KeyReminders } from './gateway-keys.ts';

const hour = 3_600_000;
beforeEach(() => vi.useFakeTimers({ now: Date.parse('2027-03-01T22:00:00Z') }));
afterEach(() => vi.useRealTimers());

function monitorKeys(...ids: string[]) {
  const warned: string[] = [];
  let keys: readonly Key[] = ids.map(
    (id) => createKey(id, { expires: Date.now() + 72 * hour }, Date.now()).key,
  );
  const reminders = new KeyReminders({
    keys: () => keys,
    maxAgeMs: undefined,
    warn: (message) => warned.push(message),
  });
  const change = (next: readonly Key[]) => {
    keys = next;
    reminders.check();
  };
  return { warned, reminders, change };
}

it('warns of each key once a day, until it has expired', () => {
  const { warned, reminders } = monitorKeys('app', 'web');
  expect(warned).toEqual([
    'key "app" expires at 2027-03-04T22:00:00Z',
    'key "web" expires at 2027-03-04T22:00:00Z',
  ]);
  vi.advanceTimersByTime(hour);
  expect(warned).toHaveLength(2);
  vi.advanceTimersByTime(2 * hour);
  expect(warned).toHaveLength(4);
  vi.advanceTimersByTime(240 * hour);
  expect(warned).toHaveLength(8);
  reminders.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('warns of a new key at once', () => {
  const { warned, reminders, change } = monitorKeys('app');
  change([
    createKey('app', { expires: Date.now() + hour }, 0).key,
    createKey('new', { expires: Date.now() + hour }, 0).key,
  ]);
  expect(warned.map((message) => message.split(' ')[1])).toEqual(['"app"', '"new"']);
  reminders.close();
});
