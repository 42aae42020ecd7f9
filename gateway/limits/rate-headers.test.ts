import { describe, expect, it } from 'vitest';
import { formatReset } from './rate-headers.ts';

describe('formatReset', () => {
  it.each([
    [-3, '0ms'],
    [0, '0ms'],
    [849.2, '850ms'],
    [1000, '1s'],
    [1001, '2s'],
    [59_999, '1m0s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [61_500, '1m2s'],
  ])('formats %d ms as %s', (ms, shown) => {
    expect(formatReset(ms)).toBe(shown);
  });
});
