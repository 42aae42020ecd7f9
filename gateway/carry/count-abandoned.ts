import type { ApiRoute } from '../routes/api-routes.ts';
import { type CountingParts, countInput } from './count-input.ts';

/** Bodies that wait to be counted, in bytes. What comes on top of it is estimated. */
const MOST_WAITING = 32 * 1024 ** 2;
const BYTES_PER_TOKEN = 4;

/**
 * Counts the input of requests that were broken off, of which the backend never told the tokens: it is asked by its own
 * counting route, with the same body, so the count is exact. One at a time, off the way of requests. Where the backend
 * cannot say, the count is an estimate: a token for four bytes of the body, and never more than one request may hold.
 */
export class AbandonedInput {
  readonly #parts: CountingParts;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: CountingParts) {
    this.#parts = parts;
  }

  count(route: ApiRoute, body: Buffer): Promise<number> {
    if (route.countedAt === undefined) return Promise.resolve(0);
    if (this.#waiting + body.length > MOST_WAITING) return Promise.resolve(this.#estimate(body));
    this.#waiting += body.length;
    // Whatever goes wrong with one of them, the next is counted, and this one is told as an estimate.
    const counted = this.#last
      .then(() => countInput(this.#parts, route, body))
      .catch(() => undefined)
      .then((tokens) => {
        this.#waiting -= body.length;
        return tokens ?? this.#estimate(body);
      });
    this.#last = counted;
    return counted;
  }

  #estimate(body: Buffer): number {
    const most = this.#parts.watch.facts?.contextPerSlot ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.ceil(body.length / BYTES_PER_TOKEN), most);
  }
}
