import { hash, randomBytes } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { addressGroup } from '../http/address-group.ts';

/** All addresses share this many counters, so that memory use is bounded. */
const COUNTERS = 65_536;
const WINDOW_SECONDS = 60;

/** Counts the requests with an invalid key of each address, to slow down guessing. Valid keys are not affected. */
export class FailedLogins {
  readonly #limit: number;
  readonly #counters: RateLimiterMemory;
  /** Makes it unpredictable which addresses share a counter. */
  readonly #salt = randomBytes(16).toString('hex');
  #total = 0;

  /** `limit` is per minute; 0 is no limit. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#counters = new RateLimiterMemory({ points: limit, duration: WINDOW_SECONDS });
  }

  /** Failures since the gateway started. */
  get total(): number {
    return this.#total;
  }

  /** Counts a failure. Returns how long the address has to wait, ms, once it has used up its attempts. */
  async count(address: string): Promise<number | undefined> {
    this.#total += 1;
    if (this.#limit === 0) return undefined;
    const { consumedPoints, msBeforeNext } = await this.#counters.penalty(this.#counterOf(address));
    return consumedPoints > this.#limit ? msBeforeNext : undefined;
  }

  #counterOf(address: string): number {
    const digest = hash('sha256', this.#salt + addressGroup(address), 'buffer');
    return digest.readUInt32BE() % COUNTERS;
  }
}
