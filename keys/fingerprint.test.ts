import { describe, expect, it } from 'vitest';
import { fingerprint, isFingerprint } from './fingerprint.ts';

describe('fingerprint', () => {
  it('is the SHA-256 of the secret, in hexadecimal', () => {
    expect(fingerprint('abc')).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('knows its own form and no other', () => {
    expect(isFingerprint(fingerprint('x'))).toBe(true);
    expect(isFingerprint(fingerprint('x').toUpperCase())).toBe(false);
    expect(isFingerprint(fingerprint('x').slice(0, -1))).toBe(false);
  });
});
