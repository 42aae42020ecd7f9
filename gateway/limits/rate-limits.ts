import type { Key } from '../../keys/key.ts';
import type { Rates } from '../config.ts';
import { rateLimitExceeded, tokenLimitTooSmall } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type CounterResult, type CounterStore, refund } from './counter-store.ts';
import { hasRateHeaders, setRateHeaders } from './rate-headers.ts';
import {
  bucketName,
  getRates,
  type RateLimited,
  type RateUnit,
  type Refund,
  type TokenReservationOptions,
} from './rates.ts';
import { Reservation, tokensToReserve } from './reservation.ts';
import { type UserOfKey, UserRateLimits } from './user-rate-limits.ts';

/** Requests and tokens per minute of each key. Sets the rate limit headers of the response. */
export class RateLimits {
  readonly #defaults: Rates;
  readonly #store: CounterStore;
  readonly #ofUsers: UserRateLimits;

  /** `defaults` apply to every key without limits of its own. */
  constructor(defaults: Rates, store: CounterStore) {
    this.#defaults = defaults;
    this.#store = store;
    this.#ofUsers = new UserRateLimits(defaults, store);
  }

  /**
   * Counts one request, or fails with an ApiError. Returns a function that refunds it, for a request that another limit
   * rejects later; undefined where no limit applies. Like the store, it returns a promise only where it has to wait.
   */
  countRequest(
    client: RateLimited,
    unit: Exclude<RateUnit, 'tokens'>,
  ): Refund | undefined | Promise<Refund | undefined> {
    const { key, response } = client;
    const user = userOf(client);
    if (user !== undefined) return this.#ofUsers.countRequest(user, client, unit);
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
  setTokenHeaders(client: RateLimited): Promise<void> | undefined {
    const { key, response } = client;
    const user = userOf(client);
    if (user !== undefined)
      return hasRateHeaders(response, 'tokens')
        ? undefined
        : this.#ofUsers.setHeaders(user, client, 'tokens');
    const limit = getRates(key, this.#defaults).tokens;
    if (limit === 0 || hasRateHeaders(response, 'tokens')) return undefined;
    return this.#setHeadersFor(response, key, 'tokens', limit);
  }

  /** For requests that do not count. */
  setHeaders(client: RateLimited): void | Promise<void> {
    const { key, response } = client;
    const user = userOf(client);
    if (user !== undefined) {
      const requests = this.#ofUsers.setHeaders(user, client, 'requests');
      return requests.then(() => this.#ofUsers.setHeaders(user, client, 'tokens'));
    }
    const { requests, tokens } = getRates(key, this.#defaults);
    const first = requests > 0 ? this.#setHeadersFor(response, key, 'requests', requests) : undefined;
    const second = tokens > 0 ? this.#setHeadersFor(response, key, 'tokens', tokens) : undefined;
    return first === undefined ? second : first.then(() => second);
  }

  /** Reserves the tokens of a request, or fails with an ApiError. Undefined where no limit applies. */
  reserveTokens(
    client: RateLimited,
    options: TokenReservationOptions,
  ): Disposable | undefined | Promise<Disposable | undefined> {
    const { key, response, record } = client;
    const user = userOf(client);
    if (user !== undefined) return this.#ofUsers.reserveTokens(user, client, options);
    const { expected, context, generates } = options;
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

function userOf({ key, record: { user } }: RateLimited): UserOfKey | undefined {
  return key === undefined || user === undefined ? undefined : { key, user };
}

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
