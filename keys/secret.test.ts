import { describe, expect, it } from 'vitest';
import { fingerprint, isFingerprint, mintSecret, secretHint } from './secret.ts';

describe('fingerprint', () => {
  it('is the SHA-256 of the secret in hexadecimal', () => {
    expect(fingerprint('abc')).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('recognizes only its own format', () => {
    expect(isFingerprint(fingerprint('x'))).toBe(true);
    expect(isFingerprint(fingerprint('x').toUpperCase())).toBe(false);
    expect(isFingerprint(fingerprint('x').slice(0, -1))).toBe(false);
  });
});

describe('mintSecret', () => {
  it('creates sk- and 43 base64url characters, different each time', () => {
    const secrets = Array.from({ length: 100 }, mintSecret);
    for (const secret of secrets) expect(secret).toMatch(/^sk-[A-Za-z0-9_-]{43}$/);
    expect(new Set(secrets).size).toBe(100);
  });
});

describe('secretHint', () => {
  it('shows the last four characters, and sk- for our own secrets', () => {
    expect(secretHint('sk-0123456789wxyz')).toBe('sk-…wxyz');
    expect(secretHint('plain-secret-wxyz')).toBe('…wxyz');
  });
});
