import { describe, expect, it } from 'vitest';
import { mintSecret, secretHint } from './mint.ts';

describe('mintSecret', () => {
  it('makes sk- and 43 base64url characters, another one each time', () => {
    const secrets = Array.from({ length: 100 }, mintSecret);
    for (const secret of secrets) expect(secret).toMatch(/^sk-[A-Za-z0-9_-]{43}$/);
    expect(new Set(secrets).size).toBe(100);
  });
});

describe('hintOf', () => {
  it('shows the last four characters, and that the secret is of our form', () => {
    expect(secretHint('sk-0123456789wxyz')).toBe('sk-…wxyz');
    expect(secretHint('plain-secret-wxyz')).toBe('…wxyz');
  });
});
