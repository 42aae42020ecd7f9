import type { CancelSignal } from '../cancellation.ts';

interface Waiter {
  readonly adapter: string;
  readonly isBatch: boolean;
  readonly go: () => void;
}

/**
 * llama-server computes only requests for the same adapter together, and of several adapters the one of its first slot, for as
 * long as that generates. So requests take turns: those for one adapter run together, and when a request for another one has
 * arrived, those that arrive after it wait. Whatever waits for the adapter of the next turn goes with it. Lines of batches come
 * last.
 */
export class AdapterTurns {
  #running = 0;
  #adapter = '';
  #waiting: readonly Waiter[] = [];

  /** Undefined if it may go at once; `''` is the model without an adapter. Call `leave` in any case, after that. */
  enter(adapter: string, signal: CancelSignal, isBatch = false): Promise<void> | undefined {
    const isNext = this.#waiting.every((waiter) => waiter.isBatch && !isBatch);
    const isFree = this.#running === 0 || (adapter === this.#adapter && isNext);
    if (isFree || signal.aborted) {
      this.#start(adapter);
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      adapter,
      isBatch,
      go: () => {
        signal.removeEventListener('abort', onAbort);
        this.#running += 1;
        resolve();
      },
    };
    // It goes on, and ends by its own signal.
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      waiter.go();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting = [...this.#waiting, waiter];
    return promise;
  }

  leave(): void {
    this.#running -= 1;
    const next = this.#waiting.find(({ isBatch }) => !isBatch) ?? this.#waiting[0];
    if (this.#running > 0 || next === undefined) return;
    this.#adapter = next.adapter;
    const going = this.#waiting.filter(({ adapter }) => adapter === next.adapter);
    this.#waiting = this.#waiting.filter(({ adapter }) => adapter !== next.adapter);
    for (const { go } of going) go();
  }

  #start(adapter: string): void {
    if (this.#running === 0) this.#adapter = adapter;
    this.#running += 1;
  }
}
