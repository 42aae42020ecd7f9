import type { BodyBudgetOptions } from '../config.ts';
import type { ApiError } from '../errors/api-error.ts';
import { bodyMemoryFull, keyBodyMemoryFull } from '../errors/catalogue.ts';
import { addressGroup } from '../http/client-address.ts';
import { RetryAfterEstimator } from '../scheduler/retry-after.ts';
import type { RequestContext } from './request-context.ts';

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
    return new BodyAllocation(this, owner);
  }

  /** Aborts when bodies that have not arrived are not waited for any more. */
  get shutdown(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Takes this many bytes for an owner, or returns the error. */
  allocate(owner: string, bytes: number, isFirst: boolean): ApiError | undefined {
    const error = this.errorFor(owner, bytes);
    if (error !== undefined) return error;
    if (isFirst) this.#holders += 1;
    this.#add(owner, bytes);
    return undefined;
  }

  /** Takes back what one request had for so long, ms. */
  release(owner: string, bytes: number, heldMs: number): void {
    this.#retryAfter.addServiceTime(heldMs);
    this.#holders -= 1;
    this.#add(owner, -bytes);
    if (this.#bytes < this.#options.total / 2) this.#retryAfter.reset();
  }

  /** The error of a body of this size, before any of it is allocated. */
  errorFor(owner: string, bytes: number): ApiError | undefined {
    const { total, perOwner } = this.#options;
    const own = this.#owners.get(owner) ?? 0;
    if (own + bytes > perOwner) return keyBodyMemoryFull(this.#retryAfterMs(), own, perOwner);
    if (this.#bytes + bytes > total) return bodyMemoryFull(this.#retryAfterMs());
    return undefined;
  }

  #add(owner: string, bytes: number): void {
    this.#bytes += bytes;
    const sum = (this.#owners.get(owner) ?? 0) + bytes;
    if (sum > 0) this.#owners.set(owner, sum);
    else this.#owners.delete(owner);
  }

  /** Memory becomes free as often as requests end. */
  #retryAfterMs(): number {
    return this.#retryAfter.next(performance.now(), this.#holders);
  }
}

/** The memory that one request has taken. Disposing of it returns all of it. */
export class BodyAllocation implements Disposable {
  readonly #budget: BodyBudget;
  readonly #owner: string;
  #bytes = 0;
  #since = 0;

  constructor(budget: BodyBudget, owner: string) {
    this.#budget = budget;
    this.#owner = owner;
  }

  /** Aborts when the server stops: the rest of a body is not waited for then. */
  get shutdown(): AbortSignal {
    return this.#budget.shutdown;
  }

  /** The error of a body of this size, before any of it is allocated. */
  errorFor(bytes: number): ApiError | undefined {
    return this.#budget.errorFor(this.#owner, bytes);
  }

  /** Takes this many bytes more, or returns the error. */
  allocate(bytes: number): ApiError | undefined {
    const error = this.#budget.allocate(this.#owner, bytes, this.#bytes === 0);
    if (error !== undefined) return error;
    if (this.#bytes === 0) this.#since = performance.now();
    this.#bytes += bytes;
    return undefined;
  }

  [Symbol.dispose](): void {
    if (this.#bytes === 0) return;
    this.#budget.release(this.#owner, this.#bytes, performance.now() - this.#since);
    this.#bytes = 0;
  }
}

/** Whose share of the memory a body takes: a key's, or without authentication a network's. */
export function bodyOwner({ key, record }: Pick<RequestContext, 'key' | 'record'>): string {
  return key === undefined ? `from ${addressGroup(record.address)}` : `of ${key.id}`;
}
