import { expect, it } from 'vitest';
import type { Key } from './key.ts';
import { keyWarning } from './key-warning.ts';
import { createKey } from './new-key.ts';

const day = 86_400_000;
const now = Date.parse('2027-03-01T12:00:00Z');
const keyWith = (wishes: Partial<Key>) => ({ ...createKey('app', {}, now).key, ...wishes });
const expiry = 'expires at 2027-03-05T12:00:00Z';
const age = 'has a secret that is 100 days old (KEY_MAX_AGE_DAYS is 90): corral keys rotate app';

it.each<[string, Partial<Key>, string | undefined]>([
  ['a fresh one', {}, undefined],
  ['one that ends in four days', { expires: now + 4 * day }, `key "app" ${expiry}`],
  ['one that ends in 15 days', { expires: now + 15 * day }, undefined],
  ['one that has ended', { expires: now - day }, undefined],
  ['a disabled one', { expires: now + day, created: now - 100 * day, disabled: true }, undefined],
  ['an old one', { created: now - 100 * day }, `key "app" ${age}`],
  ['one of 90 days', { created: now - 90 * day }, undefined],
  ['one of unknown age', { created: null }, undefined],
  ['both', { created: now - 100 * day, expires: now + 4 * day }, `key "app" ${expiry} and ${age}`],
])('the warning of %s', (_, wishes, words) => {
  expect(keyWarning(keyWith(wishes), now, 90 * day)).toBe(words);
});

it('no age is too great where none is set', () => {
  expect(keyWarning(keyWith({ created: 0 }), now, undefined)).toBe(undefined);
});
