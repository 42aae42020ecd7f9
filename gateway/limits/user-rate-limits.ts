import type { Key } from '../../keys/key.ts';
import type { Rates } from '../config.ts';
import { type LimitOwner, rateLimitExceeded, tokenLimitTooSmall } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type CounterResult, type CounterStore, refund } from './counter-store.ts';
import { setRateHeaders } from './rate-headers.ts';
import {
  bucketName,
  getRates,
  getUserRates,
  type RateLimited,
  type RateUnit,
  type Refund,
  type TokenReservationOptions,
  userBucketName,
} from './rates.ts';
import { RecentUsers } from './recent-users.ts';
import { Reservation, tokensToReserve } from './reservation.ts';

/** A user of a key that tells its users apart. */
export interface UserOfKey {
  readonly key: Key;
  readonly user: string;
}

interface Bucket {
  readonly of: LimitOwner;
  readonly name: string;
  readonly limit: number;
}

interface Counted extends Bucket {
  readonly count: CounterResult;
}

const units: readonly RateUnit[] = ['requests', 'counts', 'tokens'];

/** The limits of users: those of their key hold for all of them together, and `userLimits` for each. */
export class UserRateLimits {
  readonly #defaults: Rates;
  readonly #store: CounterStore;
  readonly #recent = new RecentUsers();

  constructor(defaults: Rates, store: CounterStore) {
    this.#defaults = defaults;
    this.#store = store;
  }

  async countRequest(
    user: UserOfKey,
    { response }: RateLimited,
    unit: Exclude<RateUnit, 'tokens'>,
  ): Promise<Refund | undefined> {
    const counted = await this.#consume('requests', this.#bucketsOf(user, unit), 1, response);
    return counted.length === 0 ? undefined : () => this.#refund(counted, 1);
  }

  /** Counts nothing, so it rejects nothing, even if more has been used than the limit. */
  async setHeaders(user: UserOfKey, { response }: RateLimited, unit: keyof Rates): Promise<void> {
    const counted = await Promise.all(
      this.#bucketsOf(user, unit).map(async (bucket) => ({
        ...bucket,
        count: await this.#store.consume(bucket.name, 0, bucket.limit),
      })),
    );
    setHeadersOfTightest(response, unit, counted);
  }

  async reserveTokens(
    user: UserOfKey,
    { record, response }: RateLimited,
    { expected, context, generates }: TokenReservationOptions,
  ): Promise<Disposable | undefined> {
    const buckets = this.#bucketsOf(user, 'tokens');
    if (buckets.length === 0) return undefined;
    const limit = Math.min(...buckets.map((bucket) => bucket.limit));
    const tokens = tokensToReserve(expected, { context, generates, limit });
    const small = buckets.find((bucket) => tokens > bucket.limit);
    if (small !== undefined) throw tokenLimitTooSmall(tokens, small.limit, small.of);
    const counted = await this.#consume('tokens', buckets, tokens, response);
    const reservations = counted.map(
      ({ name, count }) => new Reservation({ bucket: name, tokens, count, record }),
    );
    return {
      [Symbol.dispose]() {
        for (const reservation of reservations) reservation[Symbol.dispose]();
      },
    };
  }

  /** The buckets that have a limit, that of the user first: usually it is the smaller one. */
  #bucketsOf({ key, user }: UserOfKey, unit: RateUnit): readonly Bucket[] {
    const [ofUser, ofKey] = [getUserRates(key), getRates(key, this.#defaults)];
    if (ofUser.requests > 0 || ofUser.tokens > 0) this.#remember(key, user);
    const rate = unit === 'tokens' ? 'tokens' : 'requests';
    const buckets: readonly Bucket[] = [
      { of: 'user', name: userBucketName(key, user, unit), limit: ofUser[rate] },
      { of: 'key', name: bucketName(key, unit), limit: ofKey[rate] },
    ];
    return buckets.filter(({ limit }) => limit > 0);
  }

  #remember(key: Key, user: string): void {
    const forgotten = this.#recent.use(key.id, user);
    if (forgotten === undefined) return;
    for (const unit of units) this.#store.forget(userBucketName(key, forgotten, unit));
  }

  /** Takes the points from all buckets, or fails with an ApiError and takes them from none. */
  async #consume(
    unit: keyof Rates,
    buckets: readonly Bucket[],
    points: number,
    response: ClientResponse,
  ): Promise<readonly Counted[]> {
    const all: Counted[] = [];
    for (const bucket of buckets) {
      const { name, limit, of } = bucket;
      const count = await this.#store.consume(name, points, limit);
      if (!count.fits) {
        this.#refund(all, points);
        setRateHeaders(response, unit, limit, count);
        throw rateLimitExceeded(unit, { ...count, limit, requested: points }, of);
      }
      all.push({ ...bucket, count });
    }
    setHeadersOfTightest(response, unit, all);
    return all;
  }

  /** Redis may be unreachable. A retry is pointless: a window lasts a minute. */
  #refund(counted: readonly Counted[], points: number): void {
    for (const { count, name } of counted) void Promise.resolve(refund(count, name, points)).catch(() => {});
  }
}

/** The headers of a response are about the bucket with least left. */
function setHeadersOfTightest(
  response: ClientResponse,
  unit: keyof Rates,
  counted: readonly Counted[],
): void {
  const [tightest] = counted.toSorted((a, b) => a.limit - a.count.used - (b.limit - b.count.used));
  if (tightest !== undefined) setRateHeaders(response, unit, tightest.limit, tightest.count);
}
