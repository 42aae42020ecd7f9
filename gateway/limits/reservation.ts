import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Usage } from '../api/usage.ts';
import { type CounterResult, refund } from './counter-store.ts';

/** The part of a request's record that a reservation needs. */
export interface RequestUsage {
  readonly usage?: Usage;
  readonly pendingUsage?: Promise<void>;
  readonly usageCorrection?: Promise<number>;
}

export interface ReservationOptions {
  readonly bucket: string;
  readonly tokens: number;
  readonly count: CounterResult;
  /** Has no usage at the end where the backend never got the request. */
  readonly record: RequestUsage;
}

/**
 * Tokens that a request has put aside. When it is over they are settled: what it used stays taken, the rest goes back.
 * A window that has ended meanwhile has forgotten them, so nothing goes back into a later one; what was used beyond
 * them counts in the window of the moment.
 */
export class Reservation implements Disposable {
  readonly #reserved: ReservationOptions;

  constructor(reserved: ReservationOptions) {
    this.#reserved = reserved;
  }

  [Symbol.dispose](): void {
    this.#settle().catch(recordUnhandledError);
  }

  async #settle(): Promise<void> {
    const { tokens, record } = this.#reserved;
    await record.pendingUsage;
    const used = record.usage ? record.usage.input + record.usage.output : 0;
    // Shared counts that are away cannot take it; a minute later it would not matter any more.
    await this.#correct(used - tokens).catch(() => {});
    await this.#correct((await record.usageCorrection) ?? 0).catch(() => {});
  }

  #correct(points: number): Promise<void> {
    const { bucket, count } = this.#reserved;
    return points > 0 ? count.store.adjust(bucket, points) : refund(count, bucket, -points);
  }
}
