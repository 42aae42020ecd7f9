import type { Key } from '../../keys/key.ts';
import type { TokenEstimate } from '../api/request-size.ts';
import type { Rates } from '../config.ts';
import { rateLimitExceeded, tokenLimitTooSmall } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type CounterResult, type CounterStore, refund } from './counter-store.ts';
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
   * Counts one request, or fails with an ApiError. Returns a function that refunds it, for a request that another limit
   * rejects later; undefined where no limit applies. Like the store, it returns a promise only where it has to wait.
   */
  countRequest(
    key: Key | undefined,
    response: ClientResponse,
    unit: Exclude<RateUnit, 'tokens'>,
  ): Refund | undefined | Promise<Refund | undefined> {
    const limit = getRates(key, this.#defaults).requests;
    if (limit === 0) return undefined;
    const bucket = bucketName(key, unit);
    return whenCounted(this.#store.consume(bucket, 1, limit), (count) => {
      setRateHeaders(response, 'requests', limit, count);
      if (!count.fits) throw rateLimitExceeded('requests', { ...count, limit, requested: 1 });
      return () => ignoreFailure(refund(count, bucket, 1));
    });
  }

  /** For a counted request that ends before it reserves tokens. */
  setTokenHeaders(key: Key | undefined, response: ClientResponse): Promise<void> | undefined {
    const limit = getRates(key, this.#defaults).tokens;
    if (limit === 0 || response.hasHeader(headerNames.tokens[0])) return undefined;
    return this.#setHeadersFor(response, key, 'tokens', limit);
  }

  /** For requests that do not count. */
  setHeaders(key: Key | undefined, response: ClientResponse): void | Promise<void> {
    const { requests, tokens } = getRates(key, this.#defaults);
    const first = requests > 0 ? this.#setHeadersFor(response, key, 'requests', requests) : undefined;
    const second = tokens > 0 ? this.#setHeadersFor(response, key, 'tokens', tokens) : undefined;
    return first === undefined ? second : first.then(() => second);
  }

  /** Reserves the tokens of a request, or fails with an ApiError. Undefined where no limit applies. */
  reserveTokens(
    options: TokenReservationOptions,
  ): Reservation | undefined | Promise<Reservation | undefined> {
    const { key, expected, context, generates, response, record } = options;
    const limit = getRates(key, this.#defaults).tokens;
    if (limit === 0) return undefined;
    const tokens = tokensToReserve(expected, { context, generates, limit });
    if (tokens > limit) throw tokenLimitTooSmall(tokens, limit);
    const bucket = bucketName(key, 'tokens');
    return whenCounted(this.#store.consume(bucket, tokens, limit), (count) => {
      setRateHeaders(response, 'tokens', limit, count);
      if (!count.fits) throw rateLimitExceeded('tokens', { ...count, limit, requested: tokens });
      return new Reservation({ bucket, tokens, count, record });
    });
  }

  #setHeadersFor(
    response: ClientResponse,
    key: Key | undefined,
    unit: keyof Rates,
    limit: number,
  ): Promise<void> | undefined {
    const count = this.#store.consume(bucketName(key, unit), 0, limit);
    if (count instanceof Promise) return count.then((it) => setRateHeaders(response, unit, limit, it));
    setRateHeaders(response, unit, limit, count);
    return undefined;
  }
}

/** Takes back what was counted, unless its window is over. */
export type Refund = () => void;

function whenCounted<T>(
  count: CounterResult | Promise<CounterResult>,
  then: (count: CounterResult) => T,
): T | Promise<T> {
  return count instanceof Promise ? count.then(then) : then(count);
}

/** Redis may be unreachable. A retry is pointless: a window lasts a minute. */
function ignoreFailure(work: void | Promise<void>): void {
  if (work instanceof Promise) work.catch(() => {});
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

/** Sets the headers on errors and relayed responses alike. */
function setRateHeaders(
  response: ClientResponse,
  unit: keyof Rates,
  limit: number,
  count: CounterResult,
): void {
  if (response.headersSent) return;
  const [limitName, remainingName, resetName] = headerNames[unit];
  response.setHeader(limitName, String(limit));
  response.setHeader(remainingName, String(Math.max(limit - count.used, 0)));
  response.setHeader(resetName, formatReset(count.resetMs));
}

const headerNames = {
  requests: ['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  tokens: ['x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
} as const satisfies Record<keyof Rates, readonly [string, string, string]>;

/** All of them, for CORS: browsers may read only the headers that are listed. */
export const rateHeaderNames: readonly string[] = Object.values(headerNames).flat();

/** A duration in OpenAI's format: `850ms`, `12s`, `1m0s`, rounded up. */
export function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.max(Math.ceil(ms), 0)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
