import type { Key } from '../../keys/key.ts';
import type { ClientResponse } from '../client-response.ts';
import type { ExpectedTokens } from '../openai/expected-tokens.ts';
import type { RequestRecord } from '../record/request-record.ts';
import { rateLimitReached, tokensNeverFit } from '../refusal/catalogue.ts';
import { giveBack, type Taker } from './counts.ts';
import { bucketOf, type Rates, ratesOf, type Unit } from './key-rates.ts';
import { showRate } from './rate-headers.ts';
import { Reservation } from './reservation.ts';
import { tokensToReserve } from './tokens-to-reserve.ts';

export interface TokenWish {
  readonly key: Key | undefined;
  readonly expected: ExpectedTokens;
  /** What one sequence can hold; undefined while that is not known. */
  readonly context: number | undefined;
  /** Whether the backend writes anything for it. */
  readonly generates: boolean;
  readonly record: RequestRecord;
  readonly response: ClientResponse;
}

/** How much a key may ask for in a minute, and how much it has. Tells the client on every answer. */
export class RateLimits {
  readonly #house: Rates;
  readonly #counts: Taker;

  /** `house` holds for every key that has no limits of its own. */
  constructor(house: Rates, counts: Taker) {
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
    unit: Exclude<Unit, 'tokens'>,
  ): Promise<(() => void) | undefined> {
    const { requests, tokens } = ratesOf(key, this.#house);
    const bucket = bucketOf(key, unit);
    const [count] = await Promise.all([
      requests > 0 ? this.#counts.take(bucket, 1, requests) : undefined,
      tokens > 0 ? this.#look(response, key, 'tokens', tokens) : undefined,
    ]);
    if (count === undefined) return undefined;
    showRate(response, 'requests', requests, count);
    if (!count.fits) throw rateLimitReached('requests', { ...count, limit: requests, wanted: 1 });
    return () => void giveBack(count, bucket, 1).catch(() => {});
  }

  /** Shows where a key stands, for what costs nothing. */
  async show(key: Key | undefined, response: ClientResponse): Promise<void> {
    const { requests, tokens } = ratesOf(key, this.#house);
    await Promise.all([
      requests > 0 ? this.#look(response, key, 'requests', requests) : undefined,
      tokens > 0 ? this.#look(response, key, 'tokens', tokens) : undefined,
    ]);
  }

  /** Puts the tokens of a request aside, or throws the refusal. Undefined where no limit holds. */
  async reserveTokens(wish: TokenWish): Promise<Reservation | undefined> {
    const { key, expected, response, record } = wish;
    const limit = ratesOf(key, this.#house).tokens;
    if (limit === 0) return undefined;
    const tokens = tokensToReserve(expected, { ...wish, limit });
    if (tokens > limit) throw tokensNeverFit(tokens, limit);
    const bucket = bucketOf(key, 'tokens');
    const count = await this.#counts.take(bucket, tokens, limit);
    showRate(response, 'tokens', limit, count);
    if (!count.fits) throw rateLimitReached('tokens', { ...count, limit, wanted: tokens });
    return new Reservation({ bucket, tokens, count, record });
  }

  async #look(
    response: ClientResponse,
    key: Key | undefined,
    unit: keyof Rates,
    limit: number,
  ): Promise<void> {
    showRate(response, unit, limit, await this.#counts.take(bucketOf(key, unit), 0, limit));
  }
}
