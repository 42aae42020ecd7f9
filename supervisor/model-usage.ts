import type { ModelDemand } from '../health/supervisor-messages.ts';
import { RecentUse } from './recent-use.ts';

/** How a model is used, as far as the gateway reports it. All times are milliseconds of a monotonic clock. */
export class ModelUsage {
  readonly #recentUse = new RecentUse();
  #leases = 0;
  #waitingSince: number | undefined;
  #lineLeases: number | undefined;
  /** Leases that are not those of lines. */
  #used = 0;
  #requestedAt: number | undefined;
  #usedUntil: number;

  constructor(now: number) {
    this.#usedUntil = now;
  }

  /** All leases, including those of lines of batches. */
  get leases(): number {
    return this.#leases;
  }

  /** Since when somebody has waited for it: a request in line, or an administrator. */
  get wantedSince(): number | undefined {
    const times = [this.#waitingSince, this.#requestedAt].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether lines of batches run at it, or wait for it. All else here is about other requests. */
  get hasLines(): boolean {
    return this.#lineLeases !== undefined;
  }

  /** Since when it has not been used; undefined while it is. */
  get idleSince(): number | undefined {
    return this.#isInUse ? undefined : this.#usedUntil;
  }

  recentUse(now: number): number {
    return this.#recentUse.at(now);
  }

  /** What the gateway has reported. */
  record(leases: number, demand: ModelDemand | undefined, now: number): void {
    const wasInUse = this.#isInUse;
    this.#lineLeases = demand?.lineLeases;
    const used = leases - (this.#lineLeases ?? 0);
    if (used !== this.#used) this.#recentUse.record(used, now);
    this.#leases = leases;
    this.#used = used;
    this.#waitingSince = demand && demand.waiting > 0 ? now - demand.oldestWaitMs : undefined;
    if (wasInUse || this.#isInUse) this.#usedUntil = now;
  }

  /** An administrator has requested it. */
  request(now: number): void {
    this.#requestedAt ??= now;
  }

  /** It is loaded, as was requested. */
  loaded(now: number): void {
    this.#requestedAt = undefined;
    this.#usedUntil = now;
  }

  /** The request no longer counts. */
  withdrawRequest(): void {
    this.#requestedAt = undefined;
  }

  get #isInUse(): boolean {
    return this.#used > 0 || this.#waitingSince !== undefined;
  }
}
