import type { Key } from '../../keys/key.ts';
import type { TokenEstimate } from '../api/request-size.ts';
import type { Rates } from '../config.ts';
import { rateLimitExceeded, tokenLimitTooSmall } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type CounterStore, refund } from './counter-store.ts';
import { setRateHeaders } from './rate-headers.ts';
import { type RequestUsage, Reservation, tokensToReserve } from './reservation.ts';

export interface TokenReservationOptions {
  readonly key: Key | undefined;
  readonly expected: TokenEstimate;
  /** Context of one sequence, tokens; undefined while it is unknown. */
  readonly context: number | undefined;
  /** Whether the backend generates tokens for it. */
  readonly generates: boolean;
  readonly record: RequestUsage;
  readonly response: ClientResponse;
}

/** Requests and tokens per minute of each key. Sets the rate limit headers of the response. */
export class RateLimits {
  readonly #defaults: Rates;
  readonly #store: CounterStore;

  /** `defaults` apply to every key without limits of its own. */
  constructor(defaults: Rates, store: CounterStore) {
    this.#defaults = defaults;
    this.#store = store;
  }

  /**
   * Counts one request, or throws an ApiError. Returns a function that refunds it, for a request that another limit
   * rejects later; undefined where no limit applies.
   */
  async countRequest(
    key: Key | undefined,
    response: ClientResponse,
    unit: Exclude<RateUnit, 'tokens'>,
  ): Promise<(() => void) | undefined> {
    const { requests, tokens } = getRates(key, this.#defaults);
    const bucket = bucketName(key, unit);
    const [count] = await Promise.all([
      requests > 0 ? this.#store.consume(bucket, 1, requests) : undefined,
      tokens > 0 ? this.#setHeadersFor(response, key, 'tokens', tokens) : undefined,
    ]);
    if (count === undefined) return undefined;
    setRateHeaders(response, 'requests', requests, count);
    if (!count.fits) throw rateLimitExceeded('requests', { ...count, limit: requests, requested: 1 });
    return () => void refund(count, bucket, 1).catch(() => {});
  }

  /** For requests that do not count. */
  async setHeaders(key: Key | undefined, response: ClientResponse): Promise<void> {
    const { requests, tokens } = getRates(key, this.#defaults);
    await Promise.all([
      requests > 0 ? this.#setHeadersFor(response, key, 'requests', requests) : undefined,
      tokens > 0 ? this.#setHeadersFor(response, key, 'tokens', tokens) : undefined,
    ]);
  }

  /** Reserves the tokens of a request, or throws an ApiError. Undefined where no limit applies. */
  async reserveTokens(options: TokenReservationOptions): Promise<Reservation | undefined> {
    const { key, expected, response, record } = options;
    const limit = getRates(key, this.#defaults).tokens;
    if (limit === 0) return undefined;
    const tokens = tokensToReserve(expected, { ...options, limit });
    if (tokens > limit) throw tokenLimitTooSmall(tokens, limit);
    const bucket = bucketName(key, 'tokens');
    const count = await this.#store.consume(bucket, tokens, limit);
    setRateHeaders(response, 'tokens', limit, count);
    if (!count.fits) throw rateLimitExceeded('tokens', { ...count, limit, requested: tokens });
    return new Reservation({ bucket, tokens, count, record });
  }

  async #setHeadersFor(
    response: ClientResponse,
    key: Key | undefined,
    unit: keyof Rates,
    limit: number,
  ): Promise<void> {
    setRateHeaders(response, unit, limit, await this.#store.consume(bucketName(key, unit), 0, limit));
  }
}

/** The limits of a key, or the defaults where it has none. */
export function getRates(key: Key | undefined, defaults: Rates): Rates {
  return {
    requests: key?.limits.requestsPerMinute ?? defaults.requests,
    tokens: key?.limits.tokensPerMinute ?? defaults.tokens,
  };
}

/** What a bucket counts. `counts` are token counting requests: they have the limit of requests, but a bucket of their own. */
export type RateUnit = keyof Rates | 'counts';

/** The bucket of a key, or the one that all requests share where authentication is disabled. */
export function bucketName(key: Key | undefined, unit: RateUnit): string {
  return key === undefined ? `anonymous:${unit}` : `key:${key.id}:${unit}`;
}
