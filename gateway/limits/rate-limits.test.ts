import { describe, expect, it } from 'vitest';
import { createKey } from '../../keys/secret.ts';
import { formatReset } from './rate-headers.ts';
import { bucketName, getRates } from './rates.ts';

const defaults = { requests: 100, tokens: 0 };
const key = (limits: object) => createKey('app', { limits }, 0).key;

describe('getRates', () => {
  it.each([
    ['no key', undefined, defaults],
    ['a key without limits', key({}), defaults],
    ['a key with limits', key({ requestsPerMinute: 5, tokensPerMinute: 900 }), { requests: 5, tokens: 900 }],
    ['a key whose limit is 0', key({ requestsPerMinute: 0 }), { requests: 0, tokens: 0 }],
  ])('of %s', (_, owner, rates) => {
    expect(getRates(owner, defaults)).toEqual(rates);
  });
});

describe('bucketName', () => {
  it('is the same for all requests without a key, and differs from that of every key', () => {
    const { key: named } = createKey('anonymous', {}, 0);
    expect(bucketName(undefined, 'requests')).not.toBe(bucketName(named, 'requests'));
    const buckets = (['requests', 'counts', 'tokens'] as const).map((unit) => bucketName(named, unit));
    expect(new Set(buckets).size).toBe(3);
  });
});

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
