import type { BodyBudgetOptions } from '../config.ts';
import type { ApiError } from '../errors/api-error.ts';
import { bodyMemoryFull, keyBodyMemoryFull } from '../errors/catalogue.ts';
import { addressGroup } from '../http/client-address.ts';
import { RetryAfterEstimator } from '../scheduler/retry-after.ts';
import type { RequestContext } from './request-context.ts';

/** Each has a share of the memory. */
export interface BodyOwner {
  /** A key; without authentication a network. */
  readonly id: string;
  /** One of the users of the key, with a share of its share. */
  readonly user: string | undefined;
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
  open(owner: BodyOwner): BodyAllocation {
    return new BodyAllocation(this, owner);
  }

  /** Aborts when bodies that have not arrived are not waited for any more. */
  get shutdown(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Takes this many bytes for an owner, or returns the error. */
  allocate(owner: BodyOwner, bytes: number, isFirst: boolean): ApiError | undefined {
    const error = this.errorFor(owner, bytes);
    if (error !== undefined) return error;
    if (isFirst) this.#holders += 1;
    this.#add(owner, bytes);
    return undefined;
  }

  /** Takes back what one request had for so long, ms. */
  release(owner: BodyOwner, bytes: number, heldMs: number): void {
    this.#retryAfter.addServiceTime(heldMs);
    this.#holders -= 1;
    this.#add(owner, -bytes);
    if (this.#bytes < this.#options.total / 2) this.#retryAfter.reset();
  }

  /** The error of a body of this size, before any of it is allocated. */
  errorFor({ id, user }: BodyOwner, bytes: number): ApiError | undefined {
    const { total, perOwner, perUser } = this.#options;
    const own = this.#held(id);
    if (own + bytes > perOwner) return keyBodyMemoryFull(this.#retryAfterMs(), own, perOwner);
    const ofUser = user === undefined ? 0 : this.#held(user);
    if (user !== undefined && ofUser + bytes > perUser)
      return keyBodyMemoryFull(this.#retryAfterMs(), ofUser, perUser, 'user');
    if (this.#bytes + bytes > total) return bodyMemoryFull(this.#retryAfterMs());
    return undefined;
  }

  #held(id: string): number {
    return this.#owners.get(id) ?? 0;
  }

  #add({ id, user }: BodyOwner, bytes: number): void {
    this.#bytes += bytes;
    this.#addTo(id, bytes);
    if (user !== undefined) this.#addTo(user, bytes);
  }

  #addTo(id: string, bytes: number): void {
    const sum = this.#held(id) + bytes;
    if (sum > 0) this.#owners.set(id, sum);
    else this.#owners.delete(id);
  }

  /** Memory becomes free as often as requests end. */
  #retryAfterMs(): number {
    return this.#retryAfter.next(performance.now(), this.#holders);
  }
}

/** The memory that one request has taken. Disposing of it returns all of it. */
export class BodyAllocation implements Disposable {
  readonly #budget: BodyBudget;
  readonly #owner: BodyOwner;
  #bytes = 0;
  #since = 0;

  constructor(budget: BodyBudget, owner: BodyOwner) {
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

/** Whose share of the memory a body takes. */
export function bodyOwner({ key, record }: Pick<RequestContext, 'key' | 'record'>): BodyOwner {
  const { address, user } = record;
  // No id of a key has a space.
  if (key === undefined) return { id: `from ${addressGroup(address)}`, user: undefined };
  return { id: key.id, user: user === undefined ? undefined : `${key.id} ${user}` };
}
