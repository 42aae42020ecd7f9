/**
 * A claim on slots by one request. It travels with the exchange, not with the handler, and goes back exactly once,
 * when the upstream has closed: `using lease = …`, or dispose it by hand.
 */
export class Lease implements Disposable {
  readonly weight: number;
  readonly waitedMs: number;
  #onReturn: (() => void) | undefined;

  constructor(weight: number, waitedMs: number, onReturn: () => void) {
    this.weight = weight;
    this.waitedMs = waitedMs;
    this.#onReturn = onReturn;
  }

  [Symbol.dispose](): void {
    const onReturn = this.#onReturn;
    this.#onReturn = undefined;
    onReturn?.();
  }
}
