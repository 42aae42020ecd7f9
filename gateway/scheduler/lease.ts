import { recordUnhandledError } from '../../log/unhandled-errors.ts';

/**
 * A claim on slots by one request. It belongs to the exchange with the backend, not to the handler, and is returned exactly
 * once, when the backend has released the slots: `using lease = …`, or dispose of it by hand.
 */
export class Lease implements Disposable {
  readonly slots: number;
  readonly waitedMs: number;
  #onReturn: (() => void) | undefined;
  #keptUntil: Promise<void> | undefined;

  constructor(slots: number, waitedMs: number, onReturn: () => void) {
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
