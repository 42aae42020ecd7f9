import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { TokenEstimate } from '../api/request-size.ts';
import type { Usage } from '../api/usage.ts';
import { type CounterResult, refund } from './counter-store.ts';

/** The part of a request's record that a reservation needs. */
export interface RequestUsage {
  readonly usage?: Usage | undefined;
  readonly pendingUsage?: Promise<void> | undefined;
  readonly usageCorrection?: Promise<number> | undefined;
}

export interface ReservationOptions {
  readonly bucket: string;
  readonly tokens: number;
  readonly count: CounterResult;
  /** Has no usage at the end where the backend never got the request. */
  readonly record: RequestUsage;
}

/**
 * Tokens that a request has reserved. Disposing settles it: the used tokens stay counted, the rest is refunded, unless
 * their window is over. Tokens used beyond the reservation count in the current window.
 */
export class Reservation implements Disposable {
  readonly #options: ReservationOptions;

  constructor(options: ReservationOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    const { pendingUsage, usageCorrection } = this.#options.record;
    if (pendingUsage === undefined && usageCorrection === undefined) {
      const settled = this.#settle();
      if (settled instanceof Promise) settled.catch(() => {});
    } else this.#settleLater().catch(recordUnhandledError);
  }

  async #settleLater(): Promise<void> {
    const { record } = this.#options;
    await record.pendingUsage;
    // Fails while Redis is unreachable. A retry is pointless: the window lasts a minute.
    await Promise.resolve(this.#settle()).catch(() => {});
    await Promise.resolve(this.#adjust((await record.usageCorrection) ?? 0)).catch(() => {});
  }

  #settle(): void | Promise<void> {
    const { tokens, record } = this.#options;
    return this.#adjust((record.usage ? record.usage.input + record.usage.output : 0) - tokens);
  }

  #adjust(points: number): void | Promise<void> {
    const { bucket, count } = this.#options;
    return points > 0 ? count.store.adjust(bucket, points) : refund(count, bucket, -points);
  }
}

/** Assumed output of a completion whose request sets no limit. */
const DEFAULT_OUTPUT = 1024;

export interface ReservationBounds {
  /** Tokens per minute. */
  readonly limit: number;
  /** Context of one sequence; undefined while it is unknown. */
  readonly context: number | undefined;
  /** Whether the backend generates tokens, or only processes the prompt. */
  readonly generates: boolean;
}

/**
 * How many tokens to reserve until the usage is known. The assumed output of a request without an output limit never
 * exceeds the rate limit.
 */
export function tokensToReserve(
  { input, inputs, output, completions }: TokenEstimate,
  { limit, context = Number.POSITIVE_INFINITY, generates }: ReservationBounds,
): number {
  const prompt = Math.min(input, context * inputs);
  if (!generates) return prompt;
  if (output !== undefined) return prompt + Math.min(output, context) * completions;
  return prompt + Math.min(Math.min(DEFAULT_OUTPUT, context) * completions, Math.max(limit - prompt, 0));
}
