import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Batch } from '../store/batch.ts';
import type { BatchLines } from './batch-lines.ts';
import { Turns } from './turns.ts';

/** So that a slot finds its next line in the queue of the gateway. */
const EXTRA = 1;

/**
 * Decides which line is begun next: the owners of batches take turns. Of each model there are as many lines at the gateway
 * as batches may use slots, and one more.
 */
export class Dispatcher {
  readonly #lines = new Set<BatchLines>();
  readonly #turns = new Turns();
  /** By model: what the gateway has reported. */
  readonly #slots = new Map<string, number>();
  readonly #isPaused: () => boolean;
  /** All slots, for models that it has not reported yet. */
  #total = 0;

  constructor(isPaused: () => boolean) {
    this.#isPaused = isPaused;
  }

  /** Gives the lines of a batch their turns until the returned value is disposed of. */
  add(batch: Batch, lines: readonly BatchLines[]): Disposable {
    for (const each of lines) this.#lines.add(each);
    return {
      [Symbol.dispose]: () => {
        for (const each of lines) this.#lines.delete(each);
        this.#turns.forget(batch);
      },
    };
  }

  setTotal(slots: number): void {
    this.#total = slots;
  }

  setSlots(model: string, slots: number): void {
    this.#slots.set(model, slots);
  }

  /** Begins as many lines as fit. */
  dispatch(): void {
    if (this.#isPaused()) return;
    for (const model of new Set(Array.from(this.#lines, (it) => it.model))) this.#dispatchFor(model);
  }

  #dispatchFor(model: string): void {
    const lines = [...this.#lines].filter((it) => it.model === model);
    const most = (this.#slots.get(model) ?? Math.max(0, this.#total - 1)) + EXTRA;
    for (let running = sum(lines.map((it) => it.running)); running < most; running++) {
      const next = this.#turns.next(lines.filter((it) => it.isReady));
      if (next === undefined) return;
      next.runNext().catch(recordUnhandledError);
    }
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
