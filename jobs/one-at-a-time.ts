import { type HasOwner, Turns } from './turns.ts';

interface Waiting extends HasOwner {
  readonly go: () => void;
}

/** Lets one action run at a time. The owners of those that wait take turns. */
export class OneAtATime {
  readonly #turns = new Turns();
  readonly #waiting = new Set<Waiting>();
  #isBusy = false;

  /** Undefined if the signal aborts before its turn. */
  async run<T>(
    { id, owner }: HasOwner,
    action: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = () => resolve();
    const waiting = { id, owner, go };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', go);
    this.#next();
    await promise;
    signal.removeEventListener('abort', go);
    if (this.#waiting.delete(waiting)) return undefined;
    try {
      return await action();
    } finally {
      this.#isBusy = false;
      if (![...this.#waiting].some((other) => other.owner === owner)) this.#turns.forget(waiting);
      this.#next();
    }
  }

  #next(): void {
    if (this.#isBusy) return;
    const next = this.#turns.next(this.#waiting);
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#isBusy = true;
    next.go();
  }
}
