import type { BodyBudgetOptions } from '../config.ts';
import type { ApiError } from '../errors/api-error.ts';
import { bodyMemoryFull, keyBodyMemoryFull } from '../errors/catalogue.ts';
import { RetryAfterEstimator } from '../scheduler/retry-after.ts';

/** The part of the budget that one request has taken. Disposed of, all of it goes back. */
export interface BodyAllocation extends Disposable {
  /** Aborts when the server stops: what has not come by then is not waited for. */
  readonly shutdown: AbortSignal;
  /** Takes so many bytes more, or answers the refusal. */
  allocate(bytes: number): ApiError | undefined;
  /** The refusal of a body of that size, before any of it is taken. */
  errorFor(bytes: number): ApiError | undefined;
}

/**
 * What request bodies take of the memory, from their first byte until their requests are over: most of it is theirs who
 * wait in line. Whoever would go beyond is refused, and nobody can take all of it.
 */
export class BodyBudget {
  readonly #options: BodyBudgetOptions;
  readonly #owners = new Map<string, number>();
  readonly #retryAfter = new RetryAfterEstimator();
  readonly #stopping = new AbortController();
  #bytes = 0;
  #holders = 0;

  constructor(options: BodyBudgetOptions) {
    this.#options = options;
  }

  /** In memory now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No body that is still on its way is waited for. */
  stop(): void {
    this.#stopping.abort();
  }

  /** For one request. */
  open(owner: string): BodyAllocation {
    let [held, since] = [0, 0];
    return {
      shutdown: this.#stopping.signal,
      errorFor: (bytes) => this.#refusalOf(owner, bytes),
      allocate: (bytes) => {
        const refusal = this.#refusalOf(owner, bytes);
        if (refusal !== undefined) return refusal;
        if (held === 0) {
          since = performance.now();
          this.#holders += 1;
        }
        held += bytes;
        this.#add(owner, bytes);
        return undefined;
      },
      [Symbol.dispose]: () => {
        if (held === 0) return;
        this.#retryAfter.addServiceTime(performance.now() - since);
        this.#holders -= 1;
        this.#add(owner, -held);
        held = 0;
        if (this.#bytes < this.#options.total / 2) this.#retryAfter.reset();
      },
    };
  }

  #add(owner: string, bytes: number): void {
    this.#bytes += bytes;
    const all = (this.#owners.get(owner) ?? 0) + bytes;
    if (all > 0) this.#owners.set(owner, all);
    else this.#owners.delete(owner);
  }

  #refusalOf(owner: string, bytes: number): ApiError | undefined {
    const { total, perOwner } = this.#options;
    const own = this.#owners.get(owner) ?? 0;
    if (own + bytes > perOwner) return keyBodyMemoryFull(this.#retryAfterMs(), own, perOwner);
    if (this.#bytes + bytes > total) return bodyMemoryFull(this.#retryAfterMs());
    return undefined;
  }

  /** Bodies go as often as their requests end. */
  #retryAfterMs(): number {
    return this.#retryAfter.next(performance.now(), this.#holders);
  }
}
