export interface QuotaOptions {
  /** When the measuring begins, `performance.now()`; what starts before is warm-up. */
  readonly from: number;
  readonly until: number;
  /** How many requests are to be measured; null for as many as there is time for. */
  readonly requests: number | null;
}

export type Phase = 'warm-up' | 'measured' | 'over';

/** Says of each request that is about to start what it is for. */
export class Quota {
  readonly #options: QuotaOptions;
  #measured = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  next(startsAt: number): Phase {
    const { from, until, requests } = this.#options;
    if (startsAt < from) return 'warm-up';
    if (startsAt >= until || (requests !== null && this.#measured >= requests)) return 'over';
    this.#measured += 1;
    return 'measured';
  }
}
