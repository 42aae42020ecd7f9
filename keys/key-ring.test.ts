import { describe, expect, it } from 'vitest';
import type { Key } from './key.ts';
import { KeyRing } from './key-ring.ts';
import { createKey, fingerprint } from './secret.ts';

const now = Date.UTC(2027, 0, 1);

function ringWith(change: Partial<Key>) {
  const { key, secret } = createKey('app', change, now);
  return { ring: new KeyRing([{ ...key, ...change }]), key, secret };
}

describe('KeyRing', () => {
  it('accepts a known secret and returns its key', () => {
    const { ring, key, secret } = ringWith({});
    expect(ring.authenticate(secret, now)).toEqual({ outcome: 'accepted', key, previous: false });
  });

  it.each(['', 'sk-', 'sha256:', '__proto__', 'ü'])('rejects the unknown secret %j', (secret) => {
    expect(ringWith({}).ring.authenticate(secret, now)).toEqual({ outcome: 'rejected', reason: 'unknown' });
  });

  it('rejects a fingerprint sent as a secret', () => {
    const { ring, key } = ringWith({});
    expect(ring.authenticate(key.fingerprint, now).outcome).toBe('rejected');
  });

  it('rejects a disabled key, expired or not', () => {
    const { ring, secret } = ringWith({ disabled: true, expires: now - 1 });
    expect(ring.authenticate(secret, now)).toEqual({ outcome: 'rejected', reason: 'disabled', keyId: 'app' });
  });

  it('rejects a key from the moment of its expiry', () => {
    const { ring, secret } = ringWith({ expires: now });
    expect(ring.authenticate(secret, now - 1).outcome).toBe('accepted');
    expect(ring.authenticate(secret, now)).toEqual({ outcome: 'rejected', reason: 'expired', keyId: 'app' });
  });

  it('accepts the previous secret until the overlap ends, and marks it as the previous one', () => {
    const previous = { fingerprint: fingerprint('the-old-secret'), validUntil: now };
    const { ring } = ringWith({ previous });
    expect(ring.authenticate('the-old-secret', now - 1)).toMatchObject({
      outcome: 'accepted',
      previous: true,
    });
    expect(ring.authenticate('the-old-secret', now)).toMatchObject({
      outcome: 'rejected',
      reason: 'expired',
    });
  });

  it('rejects the previous secret when the key has expired, even within the overlap', () => {
    const previous = { fingerprint: fingerprint('the-old-secret'), validUntil: now + 1000 };
    const { ring } = ringWith({ previous, expires: now });
    expect(ring.authenticate('the-old-secret', now)).toMatchObject({
      outcome: 'rejected',
      reason: 'expired',
    });
  });

  it.each<[string, Partial<Key>, boolean]>([
    ['a valid key', { expires: now + 1 }, true],
    ['an expired key', { expires: now }, false],
    ['a disabled key', { disabled: true }, false],
  ])('finds %s by its id: %o %s', (_, change, isFound) => {
    const { ring, key } = ringWith(change);
    expect(ring.validKey('app', now)?.id).toBe(isFound ? key.id : undefined);
    expect(ring.validKey('other', now)).toBe(undefined);
  });

  it('assigns a shared secret to the first key, and prefers a current secret to a previous one', () => {
    const [first, second] = [createKey('first', {}, now), createKey('second', {}, now)];
    const rotated = { ...first.key, previous: { fingerprint: second.key.fingerprint, validUntil: now + 1 } };
    const shared = { ...first.key, id: 'copy' };
    const ring = new KeyRing([rotated, second.key, shared]);
    expect(ring.authenticate(second.secret, now)).toMatchObject({ key: { id: 'second' }, previous: false });
    expect(ring.authenticate(first.secret, now)).toMatchObject({ key: { id: 'first' } });
  });
});
