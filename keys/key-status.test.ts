import { describe, expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';
import type { Key } from './key.ts';
import { getKeyStatus, type KeyStatus } from './key-status.ts';
import { createKey } from './new-key.ts';

const now = Date.UTC(2027, 0, 1);
const day = 86_400_000;
const keyWith = (change: Partial<Key>): Key => ({ ...createKey('app', {}, now).key, ...change });
const previous = { fingerprint: fingerprint('old'), validUntil: now + day };

describe('statusOf', () => {
  it.each<[Partial<Key>, Partial<KeyStatus>]>([
    [{}, {}],
    [{ disabled: true, expires: now, created: 0 }, { state: 'disabled' }],
    [{ expires: now, created: 0 }, { state: 'expired' }],
    [{ expires: now + 14 * day }, { expiresSoon: true }],
    [{ expires: now + 14 * day + 1 }, {}],
    [{ previous }, { rotatingUntil: now + day }],
    [{ previous, disabled: true }, { state: 'disabled' }],
    [{ previous: { ...previous, validUntil: now } }, {}],
    [{ created: now - 90 * day }, {}],
    [{ created: now - 90 * day - 1 }, { secretIsOld: true }],
    [{ created: null }, {}],
  ])('tells how a key with %o stands', (change, status) => {
    const plain = { state: 'active', expiresSoon: false, secretIsOld: false, rotatingUntil: undefined };
    expect(getKeyStatus(keyWith(change), now, 90 * day)).toEqual({ ...plain, ...status });
  });

  it('knows no age that is too great where none is set', () => {
    expect(getKeyStatus(keyWith({ created: 0 }), now).secretIsOld).toBe(false);
  });
});
