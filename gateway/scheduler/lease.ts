import { recordUnhandledError } from '../../log/unhandled-errors.ts';

/**
 * A claim on slots by one request. It travels with the exchange, not with the handler, and goes back exactly once,
 * when the upstream has closed: `using lease = …`, or dispose it by hand. One that is kept goes back later than that.
 */
export class Lease implements Disposable {
  readonly slots: number;
  readonly waitedMs: number;
  #onReturn: (() => void) | undefined;
  #keptUntil: Promise<void> | undefined;

  constructor(weight: number, waitedMs: number, onReturn: () => void) {
    this.slots = weight;
    this.waitedMs = waitedMs;
    this.#onReturn = onReturn;
  }

  /** Disposed before that, it goes back then. */
  keepUntil(letGo: Promise<void>): void {
    this.#keptUntil = letGo;
  }

  [Symbol.dispose](): void {
    const onReturn = this.#onReturn;
    this.#onReturn = undefined;
    if (this.#keptUntil === undefined) onReturn?.();
    else this.#keptUntil.then(onReturn).catch(recordUnhandledError);
  }
}
