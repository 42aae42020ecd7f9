import { describe, expect, it } from 'vitest';
import { createKey } from '../../keys/new-key.ts';
import { bucketName, getRates } from './key-rates.ts';

const house = { requests: 100, tokens: 0 };
const key = (limits: object) => createKey('app', { limits }, 0).key;

describe('ratesOf', () => {
  it.each([
    ['nobody in particular', undefined, house],
    ['a key without limits', key({}), house],
    ['a key with its own', key({ requestsPerMinute: 5, tokensPerMinute: 900 }), { requests: 5, tokens: 900 }],
    ['a key whose limit is off', key({ requestsPerMinute: 0 }), { requests: 0, tokens: 0 }],
  ])('of %s', (_, whose, rates) => {
    expect(getRates(whose, house)).toEqual(rates);
  });
});

describe('bucketOf', () => {
  it('is one for all without a key, and no key can take its name', () => {
    const { key: named } = createKey('anonymous', {}, 0);
    expect(bucketName(undefined, 'requests')).not.toBe(bucketName(named, 'requests'));
    const buckets = (['requests', 'counts', 'tokens'] as const).map((unit) => bucketName(named, unit));
    expect(new Set(buckets).size).toBe(3);
  });
});
