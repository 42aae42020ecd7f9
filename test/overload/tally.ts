import { type Agent, request } from 'undici';
import type { Product } from './start-product.ts';

export interface Answer {
  readonly status: number;
  readonly ms: number;
  /** Whether a refusal said when to come back. */
  readonly hasRetryAfter: boolean;
}

/** One completion of 64 tokens. */
export async function ask({ origin, secret }: Product, dispatcher: Agent): Promise<Answer> {
  const from = performance.now();
  const { statusCode, headers, body } = await request(`${origin}/v1/completions`, {
    method: 'POST',
    dispatcher,
    headers: { 'x-api-key': secret, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'hi', max_tokens: 64 }),
  });
  await body.dump();
  const retryAfter = Number(headers['retry-after-ms']);
  return {
    status: statusCode,
    ms: performance.now() - from,
    hasRetryAfter: retryAfter >= 1000 && retryAfter <= 60_000,
  };
}

/** What became of all requests. */
export class Tally {
  readonly #served: number[] = [];
  readonly #refused: number[] = [];
  readonly #others = new Map<number, number>();
  #withoutRetryAfter = 0;
  #last = { served: 0, refused: 0 };

  add({ status, ms, hasRetryAfter }: Answer): void {
    if (status === 200) this.#served.push(ms);
    else if (status === 503) {
      this.#refused.push(ms);
      if (!hasRetryAfter) this.#withoutRetryAfter += 1;
    } else this.#others.set(status, (this.#others.get(status) ?? 0) + 1);
  }

  takeSinceLast(): { served: number; refused: number } {
    const [served, refused] = [this.#served.length, this.#refused.length];
    const since = { served: served - this.#last.served, refused: refused - this.#last.refused };
    this.#last = { served, refused };
    return since;
  }

  summary(): string {
    return [
      `served ${this.#served.length}: p50 ${percentile(this.#served, 0.5)} ms, p99 ${percentile(this.#served, 0.99)} ms`,
      `refused ${this.#refused.length}: p50 ${percentile(this.#refused, 0.5)} ms, p99 ${percentile(this.#refused, 0.99)} ms at the client; ${this.#withoutRetryAfter} of them without a usable Retry-After`,
      `other statuses: ${JSON.stringify(Object.fromEntries(this.#others))}`,
    ].join('\n');
  }
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}
