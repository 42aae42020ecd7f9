import { hash, randomBytes } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { addressGroup } from '../http/address-group.ts';

/** Addresses share this many counts, so that no number of guessers grows the memory. */
const COUNTS = 65_536;
const WINDOW_SECONDS = 60;

/** How often each address came with a wrong key. Slows guessers down; a good key is never asked about here. */
export class FailedLogins {
  readonly #limit: number;
  readonly #counts: RateLimiterMemory;
  /** Nobody outside can tell who shares a count with whom. */
  readonly #salt = randomBytes(16).toString('hex');
  #total = 0;

  /** `limit` a minute; 0 is none. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#counts = new RateLimiterMemory({ points: limit, duration: WINDOW_SECONDS });
  }

  /** How many failed since the gateway began. */
  get total(): number {
    return this.#total;
  }

  /** Counts one that failed. Answers how long the address has to wait, ms, once it has used its attempts up. */
  async count(address: string): Promise<number | undefined> {
    this.#total += 1;
    if (this.#limit === 0) return undefined;
    const { consumedPoints, msBeforeNext } = await this.#counts.penalty(this.#countOf(address));
    return consumedPoints > this.#limit ? msBeforeNext : undefined;
  }

  #countOf(address: string): number {
    const digest = hash('sha256', this.#salt + addressGroup(address), 'buffer');
    return digest.readUInt32BE() % COUNTS;
  }
}
