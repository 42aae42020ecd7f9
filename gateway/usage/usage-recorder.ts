import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { RequestRecord } from '../proxy/request-record.ts';
import { noUsage } from '../proxy/usage-sums.ts';
import type { UsageEntry } from './usage-batch.ts';

/**
 * Books each request of a key once, at its end, and what is found out about it later, and knows whether anything is still
 * to come.
 */
export class UsageRecorder {
  readonly #book: (booking: UsageEntry) => void;
  #open = 0;
  #onSettled: (() => void)[] = [];

  constructor(book: (booking: UsageEntry) => void) {
    this.#book = book;
  }

  /** A request has come; call what this answers once, when it is over. */
  begin(): (record: RequestRecord, failed: boolean) => void {
    this.#open += 1;
    return (record, failed) => {
      const booking = toUsageEntry(record, failed, Date.now());
      const correction = booking && record.usageCorrection;
      try {
        if (booking) this.#book(booking);
      } finally {
        if (correction === undefined) this.#close();
      }
      if (correction) this.#correct(booking, correction).catch(recordUnhandledError);
    };
  }

  async #correct(booking: UsageEntry, correction: Promise<number>): Promise<void> {
    try {
      const input = await correction;
      if (input !== 0) this.#book({ ...booking, usage: { ...noUsage, input } });
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#open -= 1;
    if (this.#open === 0) for (const settle of this.#onSettled.splice(0)) settle();
  }

  /** Settles when nothing is left to be booked, or after so long (ms). */
  async settled(within: number): Promise<void> {
    if (this.#open === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled.push(resolve);
    const timer = setTimeout(resolve, within);
    await promise;
    clearTimeout(timer);
  }
}

/** Undefined for a request without a key, which is nobody's. */
export function toUsageEntry(record: RequestRecord, failed: boolean, at: number): UsageEntry | undefined {
  const { keyId, usage, queuedMs = 0, computeMs = 0, machineShare = 0 } = record;
  if (keyId === undefined) return undefined;
  return {
    keyId,
    at,
    previousSecret: record.previousSecret ?? false,
    usage: {
      requests: 1,
      errors: failed ? 1 : 0,
      input: usage?.input ?? 0,
      cached: usage?.cached ?? 0,
      output: usage?.output ?? 0,
      queueMs: queuedMs,
      computeMs,
      machineMs: computeMs * machineShare,
    },
  };
}
