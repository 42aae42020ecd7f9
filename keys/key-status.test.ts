import { describe, expect, it } from 'vitest';
import { DAY } from '../settings/durations.ts';
import type { Key } from './key.ts';
import { getKeyStatus, type KeyStatus, keyWarning } from './key-status.ts';
import { createKey, fingerprint } from './secret.ts';

const now = Date.UTC(2027, 0, 1);
const keyWith = (change: Partial<Key>): Key => ({ ...createKey('app', {}, now).key, ...change });
const previous = { fingerprint: fingerprint('old'), validUntil: now + DAY };

describe('getKeyStatus', () => {
  it.each<[Partial<Key>, Partial<KeyStatus>]>([
    [{}, {}],
    [{ disabled: true, expires: now, created: 0 }, { state: 'disabled' }],
    [{ expires: now, created: 0 }, { state: 'expired' }],
    [{ expires: now + 14 * DAY }, { expiresSoon: true }],
    [{ expires: now + 14 * DAY + 1 }, {}],
    [{ previous }, { rotatingUntil: now + DAY }],
    [{ previous, disabled: true }, { state: 'disabled' }],
    [{ previous: { ...previous, validUntil: now } }, {}],
    [{ created: now - 90 * DAY }, {}],
    [{ created: now - 90 * DAY - 1 }, { secretIsOld: true }],
    [{ created: null }, {}],
  ])('returns the status of a key with %o', (change, status) => {
    const plain = { state: 'active', expiresSoon: false, secretIsOld: false, rotatingUntil: undefined };
    expect(getKeyStatus(keyWith(change), now, 90 * DAY)).toEqual({ ...plain, ...status });
  });

  it('allows any age without KEY_MAX_AGE_DAYS', () => {
    expect(getKeyStatus(keyWith({ created: 0 }), now).secretIsOld).toBe(false);
  });
});

const march = Date.parse('2027-03-01T12:00:00Z');
const madeInMarch = (change: Partial<Key>) => ({ ...createKey('app', {}, march).key, ...change });
const expiry = 'expires at 2027-03-05T12:00:00Z';
const age = 'has a secret that is 100 days old (KEY_MAX_AGE_DAYS is 90): corral keys rotate app';

it.each<[string, Partial<Key>, string | undefined]>([
  ['a fresh one', {}, undefined],
  ['one that ends in four days', { expires: march + 4 * DAY }, `key "app" ${expiry}`],
  ['one that ends in 15 days', { expires: march + 15 * DAY }, undefined],
  ['one that has ended', { expires: march - DAY }, undefined],
  ['a disabled one', { expires: march + DAY, created: march - 100 * DAY, disabled: true }, undefined],
  ['an old one', { created: march - 100 * DAY }, `key "app" ${age}`],
  ['one of 90 days', { created: march - 90 * DAY }, undefined],
  ['one of unknown age', { created: null }, undefined],
  ['both', { created: march - 100 * DAY, expires: march + 4 * DAY }, `key "app" ${expiry} and ${age}`],
])('keyWarning for %s', (_, change, words) => {
  expect(keyWarning(madeInMarch(change), march, 90 * DAY)).toBe(words);
});

it('keyWarning allows any age without KEY_MAX_AGE_DAYS', () => {
  expect(keyWarning(madeInMarch({ created: 0 }), march, undefined)).toBe(undefined);
});
