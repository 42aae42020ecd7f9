import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { type CountingContext, countInputUnlessSuspect } from './count-input-tokens.ts';

/** Bodies that wait to be counted, in bytes. What comes on top of it is estimated. */
const MOST_WAITING = 32 * 1024 ** 2;
/** What one count may take, ms: an engine that tokenizes large bodies for others is slow at it. */
const PATIENCE = 15_000;
/** How long the books wait for it, ms. */
const SOON = 1000;

/** The tokens of an input. */
export interface InputCount {
  /** Known within a second: counted, or estimated. */
  readonly soon: Promise<number>;
  /** What has to be added to that once the count is there; below 0 where the estimate was too high. */
  readonly correction: Promise<number>;
}

const nothing: InputCount = { soon: Promise.resolve(0), correction: Promise.resolve(0) };

/**
 * Counts the input of requests that were broken off, of which the backend never told the tokens: it is asked by its own
 * counting route, with the same body, so the count is exact. One at a time, off the way of requests. Until it has
 * answered, and where it cannot, the estimate of the request's arrival holds, and never more than its context.
 */
export class AbandonedInputCounter {
  readonly #parts: CountingContext;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: CountingContext) {
    this.#parts = parts;
  }

  count(route: ApiRoute, request: ApiRequest): InputCount {
    if (route.countPath === undefined) return nothing;
    const estimate = Math.min(request.estimate.input, this.#context * request.estimate.inputs);
    const counted = this.#counted(route, request).then((tokens) => tokens ?? estimate);
    const soon = Promise.race([counted, sleep(SOON, estimate, { ref: false })]);
    return { soon, correction: Promise.all([counted, soon]).then(([tokens, told]) => tokens - told) };
  }

  get #context(): number {
    return this.#parts.watch.props?.contextPerSlot ?? Number.POSITIVE_INFINITY;
  }

  /** Whatever goes wrong with one of them, the next is counted. */
  #counted(route: ApiRoute, request: ApiRequest): Promise<number | undefined> {
    const { body } = request;
    if (this.#waiting + body.length > MOST_WAITING) return Promise.resolve(undefined);
    this.#waiting += body.length;
    const counted = this.#last
      .then(() => countInputUnlessSuspect({ ...this.#parts, timeoutMs: PATIENCE }, route, body))
      .catch(() => undefined)
      .then((tokens) => {
        this.#waiting -= body.length;
        return tokens === undefined || this.#isServed(tokens, route, request) ? tokens : 0;
      });
    this.#last = counted;
    return counted;
  }

  /** What does not fit the context is declined, and costs nothing, whether its client waits to hear that or not. */
  #isServed(tokens: number, { generates }: ApiRoute, { weight }: ApiRequest): boolean {
    return !generates || weight > 1 || tokens < this.#context;
  }
}
