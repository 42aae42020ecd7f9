import type { Key } from '../../keys/key.ts';
import type { TokenEstimate } from '../api/request-size.ts';
import type { Rates } from '../config.ts';
import { rateLimitExceeded, tokenLimitTooSmall } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type CounterStore, refund } from './counter-store.ts';
import { bucketName, getRates, type RateUnit } from './key-rates.ts';
import { setRateHeaders } from './rate-headers.ts';
import { type RequestUsage, Reservation } from './reservation.ts';
import { tokensToReserve } from './tokens-to-reserve.ts';

export interface TokenReservationOptions {
  readonly key: Key | undefined;
  readonly expected: TokenEstimate;
  /** What one sequence can hold; undefined while that is not known. */
  readonly context: number | undefined;
  /** Whether the backend writes anything for it. */
  readonly generates: boolean;
  readonly record: RequestUsage;
  readonly response: ClientResponse;
}

/** How much a key may ask for in a minute, and how much it has. Tells the client on every answer. */
export class RateLimits {
  readonly #house: Rates;
  readonly #counts: CounterStore;

  /** `house` holds for every key that has no limits of its own. */
  constructor(house: Rates, counts: CounterStore) {
    this.#house = house;
    this.#counts = counts;
  }

  /**
   * Counts one request, or throws the refusal. Answers how to give it back, as what a limit refuses later does not
   * count either; undefined where no limit holds.
   */
  async countRequest(
    key: Key | undefined,
    response: ClientResponse,
    unit: Exclude<RateUnit, 'tokens'>,
  ): Promise<(() => void) | undefined> {
    const { requests, tokens } = getRates(key, this.#house);
    const bucket = bucketName(key, unit);
    const [count] = await Promise.all([
      requests > 0 ? this.#counts.consume(bucket, 1, requests) : undefined,
      tokens > 0 ? this.#look(response, key, 'tokens', tokens) : undefined,
    ]);
    if (count === undefined) return undefined;
    setRateHeaders(response, 'requests', requests, count);
    if (!count.fits) throw rateLimitExceeded('requests', { ...count, limit: requests, requested: 1 });
    return () => void refund(count, bucket, 1).catch(() => {});
  }

  /** Shows where a key stands, for what costs nothing. */
  async setHeaders(key: Key | undefined, response: ClientResponse): Promise<void> {
    const { requests, tokens } = getRates(key, this.#house);
    await Promise.all([
      requests > 0 ? this.#look(response, key, 'requests', requests) : undefined,
      tokens > 0 ? this.#look(response, key, 'tokens', tokens) : undefined,
    ]);
  }

  /** Puts the tokens of a request aside, or throws the refusal. Undefined where no limit holds. */
  async reserveTokens(wish: TokenReservationOptions): Promise<Reservation | undefined> {
    const { key, expected, response, record } = wish;
    const limit = getRates(key, this.#house).tokens;
    if (limit === 0) return undefined;
    const tokens = tokensToReserve(expected, { ...wish, limit });
    if (tokens > limit) throw tokenLimitTooSmall(tokens, limit);
    const bucket = bucketName(key, 'tokens');
    const count = await this.#counts.consume(bucket, tokens, limit);
    setRateHeaders(response, 'tokens', limit, count);
    if (!count.fits) throw rateLimitExceeded('tokens', { ...count, limit, requested: tokens });
    return new Reservation({ bucket, tokens, count, record });
  }

  async #look(
    response: ClientResponse,
    key: Key | undefined,
    unit: keyof Rates,
    limit: number,
  ): Promise<void> {
    setRateHeaders(response, unit, limit, await this.#counts.consume(bucketName(key, unit), 0, limit));
  }
}
