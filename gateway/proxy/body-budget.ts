import type { BodyBudgetOptions } from '../config.ts';
import type { ApiError } from '../errors/api-error.ts';
import { bodyMemoryFull, keyBodyMemoryFull } from '../errors/catalogue.ts';
import { RetryAfterEstimator } from '../scheduler/retry-after.ts';

/** The memory that one request has taken. Disposing of it returns all of it. */
export interface BodyAllocation extends Disposable {
  /** Aborts when the server stops: the rest of a body is not waited for then. */
  readonly shutdown: AbortSignal;
  /** Takes this many bytes more, or returns the error. */
  allocate(bytes: number): ApiError | undefined;
  /** The error of a body of this size, before any of it is allocated. */
  errorFor(bytes: number): ApiError | undefined;
}

/**
 * The memory for request bodies, from their first byte until their requests have ended; most of it belongs to queued requests.
 * Bodies beyond the limit are rejected, and no client can take all of it.
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

  /** Bytes in memory now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From now on, bodies that have not arrived are not waited for. */
  stop(): void {
    this.#stopping.abort();
  }

  /** For one request. */
  open(owner: string): BodyAllocation {
    let [allocated, since] = [0, 0];
    return {
      shutdown: this.#stopping.signal,
      errorFor: (bytes) => this.#errorFor(owner, bytes),
      allocate: (bytes) => {
        const error = this.#errorFor(owner, bytes);
        if (error !== undefined) return error;
        if (allocated === 0) {
          since = performance.now();
          this.#holders += 1;
        }
        allocated += bytes;
        this.#add(owner, bytes);
        return undefined;
      },
      [Symbol.dispose]: () => {
        if (allocated === 0) return;
        this.#retryAfter.addServiceTime(performance.now() - since);
        this.#holders -= 1;
        this.#add(owner, -allocated);
        allocated = 0;
        if (this.#bytes < this.#options.total / 2) this.#retryAfter.reset();
      },
    };
  }

  #add(owner: string, bytes: number): void {
    this.#bytes += bytes;
    const sum = (this.#owners.get(owner) ?? 0) + bytes;
    if (sum > 0) this.#owners.set(owner, sum);
    else this.#owners.delete(owner);
  }

  #errorFor(owner: string, bytes: number): ApiError | undefined {
    const { total, perOwner } = this.#options;
    const own = this.#owners.get(owner) ?? 0;
    if (own + bytes > perOwner) return keyBodyMemoryFull(this.#retryAfterMs(), own, perOwner);
    if (this.#bytes + bytes > total) return bodyMemoryFull(this.#retryAfterMs());
    return undefined;
  }

  /** Memory becomes free as often as requests end. */
  #retryAfterMs(): number {
    return this.#retryAfter.next(performance.now(), this.#holders);
  }
}
