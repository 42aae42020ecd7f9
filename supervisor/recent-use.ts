/** Use counts half after this time. */
const halfLifeMs = 600_000;

/** How much a model was used lately: requests at it, over time, of which the older ones count less. */
export class RecentUse {
  #value = 0;
  #leases = 0;
  #at = 0;

  /** From now on this many requests are at the model. */
  record(leases: number, now: number): void {
    this.#value = this.at(now);
    this.#at = now;
    this.#leases = leases;
  }

  /** The mean number of requests, weighted by age. */
  at(now: number): number {
    const kept = 0.5 ** ((now - this.#at) / halfLifeMs);
    return this.#value * kept + this.#leases * (1 - kept);
  }
}
