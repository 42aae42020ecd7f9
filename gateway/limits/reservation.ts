import type { RequestRecord } from '../record/request-record.ts';
import type { Count } from './counts.ts';

export interface Reserved {
  readonly bucket: string;
  readonly tokens: number;
  readonly count: Count;
  /** Tells at its end what was used: nothing, where the backend never had the request. */
  readonly record: RequestRecord;
}

/**
 * Tokens that a request has put aside. When it is over they are settled: what it used stays taken, the rest goes back.
 * A window that has ended meanwhile has forgotten them, so nothing goes back into a later one; what was used beyond
 * them counts in the window of the moment.
 */
export class Reservation implements Disposable {
  readonly #reserved: Reserved;
  readonly #windowEnds: number;

  constructor(reserved: Reserved) {
    this.#reserved = reserved;
    this.#windowEnds = performance.now() + reserved.count.resetMs;
  }

  [Symbol.dispose](): void {
    void this.#settle();
  }

  async #settle(): Promise<void> {
    const { bucket, tokens, count, record } = this.#reserved;
    await record.usageToCome;
    const used = record.usage ? record.usage.input + record.usage.output : 0;
    const isForgotten = performance.now() >= this.#windowEnds;
    if (used === tokens || (isForgotten && used < tokens)) return;
    // Shared counts that are away cannot take it; a minute later it would not matter any more.
    await count.by.change(bucket, used - tokens).catch(() => {});
  }
}
