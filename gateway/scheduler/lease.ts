import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { Preemptible } from './idle-slots.ts';
import type { LaneSettings } from './waiter.ts';

export interface LeaseRequest {
  readonly lane: LaneSettings;
  /** Sequences that the backend will decode for it. */
  readonly slots: number;
  /** Its cost to the lane, if that is not the number of its slots. */
  readonly cost?: number;
  /** Aborts when the client disconnects. */
  readonly signal: CancelSignal;
  /** It had a lease before and lost its backend: it goes first in its lane, even if the queue is full. */
  readonly requeued?: boolean;
  /** When it began to wait, if it waited at another engine before, `performance.now()` ms. */
  readonly since?: number;
  /** Called if the request has to queue, with a function that returns its current position. */
  readonly onQueued?: ((position: () => QueuePosition) => void) | undefined;
  /** Set for a line of a batch, which runs on idle slots and gives them back. */
  readonly line?: Preemptible;
}

export interface QueuePosition {
  /** From 1; 0 for a request that does not wait any more. */
  readonly position: number;
  readonly waiting: number;
}

export type AdmissionResult =
  | { readonly outcome: 'granted'; readonly lease: Lease }
  | {
      readonly outcome: 'full' | 'timed-out' | 'draining' | 'lost';
      /** When it makes sense to try again. */
      readonly retryAfterMs: number;
    }
  | { readonly outcome: 'left' }
  /** Its engine serves no more, but another one of the model does: it has to be admitted there. */
  | { readonly outcome: 'moved'; readonly since: number };

/** The scheduler that has granted a lease. */
export interface LeaseOwner {
  readonly capacity: number;
}

/**
 * A claim on slots by one request. It belongs to the exchange with the backend, not to the handler, and is returned exactly
 * once, when the backend has released the slots: `using lease = …`, or dispose of it by hand.
 */
export class Lease implements Disposable {
  /** The scheduler of the engine whose slots they are: another one than where the request has waited, if that was sooner. */
  readonly scheduler: LeaseOwner;
  readonly slots: number;
  readonly waitedMs: number;
  #onReturn: (() => void) | undefined;
  #keptUntil: Promise<void> | undefined;

  constructor(scheduler: LeaseOwner, slots: number, waitedMs: number, onReturn: () => void) {
    this.scheduler = scheduler;
    this.slots = slots;
    this.waitedMs = waitedMs;
    this.#onReturn = onReturn;
  }

  /** If the lease is disposed of earlier, it is returned when `released` resolves. */
  keepUntil(released: Promise<void>): void {
    this.#keptUntil = released;
  }

  [Symbol.dispose](): void {
    const onReturn = this.#onReturn;
    this.#onReturn = undefined;
    if (this.#keptUntil === undefined) onReturn?.();
    else this.#keptUntil.then(onReturn).catch(recordUnhandledError);
  }
}
