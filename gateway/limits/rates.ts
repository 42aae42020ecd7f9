import type { Key } from '../../keys/key.ts';
import type { TokenEstimate } from '../api/request-size.ts';
import type { Rates } from '../config.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { RequestUsage } from './reservation.ts';

/** Who sends a request, and what is known of it. */
export interface RateLimited {
  readonly key: Key | undefined;
  readonly record: RequestUsage & {
    /** Which of the users of the key, where it tells them apart. */
    readonly user?: string | undefined;
  };
  readonly response: ClientResponse;
}

export interface TokenReservationOptions {
  readonly expected: TokenEstimate;
  /** Context of one sequence, tokens; undefined while it is unknown. */
  readonly context: number | undefined;
  /** Whether the backend generates tokens for it. */
  readonly generates: boolean;
}

/** Takes back what was counted, unless its window is over. */
export type Refund = () => void;

/** The limits of a key, or the defaults where it has none. */
export function getRates(key: Key | undefined, defaults: Rates): Rates {
  return {
    requests: key?.limits.requestsPerMinute ?? defaults.requests,
    tokens: key?.limits.tokensPerMinute ?? defaults.tokens,
  };
}

/** The limits of each user of a key; 0 where there is none. */
export function getUserRates({ userLimits }: Key): Rates {
  return { requests: userLimits.requestsPerMinute ?? 0, tokens: userLimits.tokensPerMinute ?? 0 };
}

/** What a bucket counts. `counts` are token counting requests: they have the limit of requests, but a bucket of their own. */
export type RateUnit = keyof Rates | 'counts';

/** The bucket of a key, or the one that all requests share where authentication is disabled. */
export function bucketName(key: Key | undefined, unit: RateUnit): string {
  if (key === undefined) return anonymousBuckets[unit];
  let names = keyBuckets.get(key);
  if (names === undefined) {
    names = nameBuckets(`key:${key.id}`);
    keyBuckets.set(key, names);
  }
  return names[unit];
}

const nameBuckets = (owner: string): Readonly<Record<RateUnit, string>> => ({
  requests: `${owner}:requests`,
  tokens: `${owner}:tokens`,
  counts: `${owner}:counts`,
});

const anonymousBuckets = nameBuckets('anonymous');
/** Kept, as each new string has to be hashed when it is looked up. */
const keyBuckets = new WeakMap<Key, Readonly<Record<RateUnit, string>>>();

/** The bucket of one user of a key. No id contains a colon. */
export const userBucketName = (key: Key, user: string, unit: RateUnit) =>
  `key:${key.id}:user:${user}:${unit}`;
