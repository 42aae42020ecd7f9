import { expect, it } from 'vitest';
import { DAY } from '../settings/durations.ts';
import type { Key } from './key.ts';
import { keyWarning } from './key-warning.ts';
import { createKey } from './new-key.ts';

const now = Date.parse('2027-03-01T12:00:00Z');
const keyWith = (wishes: Partial<Key>) => ({ ...createKey('app', {}, now).key, ...wishes });
const expiry = 'expires at 2027-03-05T12:00:00Z';
const age = 'has a secret that is 100 days old (KEY_MAX_AGE_DAYS is 90): corral keys rotate app';

it.each<[string, Partial<Key>, string | undefined]>([
  ['a fresh one', {}, undefined],
  ['one that ends in four days', { expires: now + 4 * DAY }, `key "app" ${expiry}`],
  ['one that ends in 15 days', { expires: now + 15 * DAY }, undefined],
  ['one that has ended', { expires: now - DAY }, undefined],
  ['a disabled one', { expires: now + DAY, created: now - 100 * DAY, disabled: true }, undefined],
  ['an old one', { created: now - 100 * DAY }, `key "app" ${age}`],
  ['one of 90 days', { created: now - 90 * DAY }, undefined],
  ['one of unknown age', { created: null }, undefined],
  ['both', { created: now - 100 * DAY, expires: now + 4 * DAY }, `key "app" ${expiry} and ${age}`],
])('the warning of %s', (_, wishes, words) => {
  expect(keyWarning(keyWith(wishes), now, 90 * DAY)).toBe(words);
});

it('no age is too great where none is set', () => {
  expect(keyWarning(keyWith({ created: 0 }), now, undefined)).toBe(undefined);
});
