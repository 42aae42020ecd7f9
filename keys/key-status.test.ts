import { describe, expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';
import type { Key } from './key.ts';
import { statusOf } from './key-status.ts';
import { newKey } from './new-key.ts';

const now = Date.UTC(2027, 0, 1);
const day = 86_400_000;
const keyWith = (change: Partial<Key>): Key => ({ ...newKey('app', {}, now).key, ...change });
const previous = { fingerprint: fingerprint('old'), validUntil: now + day };

describe('statusOf', () => {
  it.each([
    [{}, { state: 'active', expiresSoon: false, rotatingUntil: undefined }],
    [
      { disabled: true, expires: now },
      { state: 'disabled', expiresSoon: false, rotatingUntil: undefined },
    ],
    [{ expires: now }, { state: 'expired', expiresSoon: false, rotatingUntil: undefined }],
    [{ expires: now + 14 * day }, { state: 'active', expiresSoon: true, rotatingUntil: undefined }],
    [{ expires: now + 14 * day + 1 }, { state: 'active', expiresSoon: false, rotatingUntil: undefined }],
    [{ previous }, { state: 'active', expiresSoon: false, rotatingUntil: now + day }],
    [
      { previous, disabled: true },
      { state: 'disabled', expiresSoon: false, rotatingUntil: undefined },
    ],
    [
      { previous: { ...previous, validUntil: now } },
      { state: 'active', expiresSoon: false, rotatingUntil: undefined },
    ],
  ])('tells how a key with %o stands', (change, status) => {
    expect(statusOf(keyWith(change), now)).toEqual(status);
  });
});
