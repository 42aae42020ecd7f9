import type { Key } from '../../keys/key.ts';
import type { Rates } from '../config.ts';

/** A key's own limits, and the house's where it has none. */
export function getRates(key: Key | undefined, house: Rates): Rates {
  return {
    requests: key?.limits.requestsPerMinute ?? house.requests,
    tokens: key?.limits.tokensPerMinute ?? house.tokens,
  };
}

/** What fills a bucket. Counts are requests that only count: as many a minute as others, and they take nothing from those. */
export type RateUnit = keyof Rates | 'counts';

/** Whose bucket it is: that of the key, by its id, or the one that all share where authentication is off. */
export function bucketName(key: Key | undefined, unit: RateUnit): string {
  return key === undefined ? `anonymous:${unit}` : `key:${key.id}:${unit}`;
}
