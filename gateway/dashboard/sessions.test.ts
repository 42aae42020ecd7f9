import { describe, expect, it } from 'vitest';
import { type Key, keyDefaults } from '../../keys/key.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import { fingerprint } from '../../keys/secret.ts';
import { isSessionValid, Sessions } from './sessions.ts';

const [today, before] = [fingerprint('today'), fingerprint('before')];
const ops: Key = { ...keyDefaults, id: 'ops', hint: '', fingerprint: today, scopes: ['admin'] };
const session = { keyId: 'ops', fingerprint: today, expiresAt: 1000 };
const isValid = (change: Partial<Key>, now = 500, of: object = {}) =>
  isSessionValid({ ...session, ...of }, new KeyRing([{ ...ops, ...change }]), now);

describe('a session is valid', () => {
  it('while its key has the admin scope, until it expires', () => {
    expect(isValid({})).toBe(true);
    expect(isValid({}, 1000)).toBe(false);
    expect(isValid({ disabled: true })).toBe(false);
    expect(isValid({ expires: 500 })).toBe(false);
    expect(isValid({ scopes: ['inference'] })).toBe(false);
    expect(isValid({ id: 'other' })).toBe(false);
  });

  it('with the secret from before a rotation while that secret is accepted', () => {
    const rotated = { previous: { fingerprint: before, validUntil: 600 } };
    expect(isValid(rotated, 599, { fingerprint: before })).toBe(true);
    expect(isValid(rotated, 600, { fingerprint: before })).toBe(false);
    expect(isValid({ fingerprint: fingerprint('next') })).toBe(false);
  });
});

describe('sessions', () => {
  const sessions = () => new Sessions(() => new KeyRing([ops]));
  const lasts = 12 * 3_600_000;

  it('are found by id for twelve hours', () => {
    const all = sessions();
    const id = all.create(ops, false, 0);
    expect(all.find(id, lasts - 1)).toMatchObject({ keyId: 'ops' });
    expect(all.find(id, lasts)).toBeUndefined();
    expect(all.find(id, 0)).toBeUndefined();
    expect(all.find('another', 0)).toBeUndefined();
    expect(all.find(undefined, 0)).toBeUndefined();
  });

  it('are limited in number; the oldest is dropped', () => {
    const all = sessions();
    const ids = Array.from({ length: 201 }, () => all.create(ops, false, 0));
    expect(ids.filter((id) => all.find(id, 1) === undefined)).toEqual([ids[0]]);
  });

  it('are gone after logout', () => {
    const all = sessions();
    const id = all.create(ops, false, 0);
    all.delete(id);
    expect(all.find(id, 0)).toBeUndefined();
  });
});
