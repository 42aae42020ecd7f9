import { describe, expect, it } from 'vitest';
import { DAY } from '../settings/durations.ts';
import { fingerprint } from './fingerprint.ts';
import type { Key } from './key.ts';
import { getKeyStatus, type KeyStatus } from './key-status.ts';
import { createKey } from './new-key.ts';

const now = Date.UTC(2027, 0, 1);
const keyWith = (change: Partial<Key>): Key => ({ ...createKey('app', {}, now).key, ...change });
const previous = { fingerprint: fingerprint('old'), validUntil: now + DAY };

describe('statusOf', () => {
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
  ])('tells how a key with %o stands', (change, status) => {
    const plain = { state: 'active', expiresSoon: false, secretIsOld: false, rotatingUntil: undefined };
    expect(getKeyStatus(keyWith(change), now, 90 * DAY)).toEqual({ ...plain, ...status });
  });

  it('knows no age that is too great where none is set', () => {
    expect(getKeyStatus(keyWith({ created: 0 }), now).secretIsOld).toBe(false);
  });
});
