import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { open, seal } from './sealed-value.ts';

const secret = randomBytes(32);
const value = Buffer.from('the answer');

it('only the same secret opens it', () => {
  const sealed = seal(value, secret);
  expect(open(sealed, secret)).toEqual(value);
  expect(open(sealed, randomBytes(32))).toBeUndefined();
  expect(sealed.includes('answer')).toBe(false);
});

it('what was changed, cut or never sealed is not opened', () => {
  const sealed = seal(value, secret);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(open(changed, secret), `byte ${at}`).toBeUndefined();
    expect(open(sealed.subarray(0, at), secret), `${at} bytes`).toBeUndefined();
  }
  expect(open(Buffer.from('x'), secret)).toBeUndefined();
});
