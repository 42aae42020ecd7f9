import { describe, expect, it } from 'vitest';
import { faultName, readRetryAfter } from './bench-client.ts';

const now = Date.parse('2026-11-21T00:00:00Z');

describe('readRetryAfter', () => {
  it.each([
    [{ 'retry-after': '2', 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 00:00:03 GMT' }, 3000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 00:00:03 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('returns for %j %s ms', (headers, expected) => {
    expect(readRetryAfter(headers, now)).toBe(expected);
  });
});

describe('faultName', () => {
  it("returns the system's name of an error, and undici's only if there is no other", () => {
    expect(faultName(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe(
      'connection ECONNREFUSED',
    );
    expect(faultName(Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }))).toBe('connection closed');
    expect(
      faultName(Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET', cause: { code: 'EPIPE' } })),
    ).toBe('connection EPIPE');
  });
});
