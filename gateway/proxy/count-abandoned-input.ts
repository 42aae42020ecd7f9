import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { type CountingContext, countInputUnlessSuspect } from './count-tokens.ts';

/** Bytes of bodies that wait to be counted. For bodies beyond that the estimate stands. */
const MAX_WAITING = 32 * 1024 ** 2;
/** How long one count may take, ms: an engine that tokenizes large bodies for others is slow at it. */
const COUNT_TIMEOUT = 15_000;
/** How long the recording of usage waits for a count, ms. */
const SOON = 1000;

export interface InputCount {
  /** Known within a second: counted, or estimated. */
  readonly soon: Promise<number>;
  /** What to add to that once the tokens are counted; negative if the estimate was too high. */
  readonly correction: Promise<number>;
}

const zero: InputCount = { soon: Promise.resolve(0), correction: Promise.resolve(0) };

/**
 * Counts the input of requests that were broken off before the backend reported their tokens. The backend counts the same body
 * itself, so the count is exact. One at a time, off the path of requests. Until a count is there, and if there is none,
 * the estimate made at arrival stands, but never more than the context.
 */
export class AbandonedInputCounter {
  readonly #context: CountingContext;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(context: CountingContext) {
    this.#context = context;
  }

  count(route: ApiRoute, request: ApiRequest): InputCount {
    if (route.countPath === undefined) return zero;
    const estimate = Math.min(request.estimate.input, this.#contextPerSlot * request.estimate.inputs);
    const counted = this.#count(route, request).then((tokens) => tokens ?? estimate);
    const soon = Promise.race([counted, sleep(SOON, estimate, { ref: false })]);
    return { soon, correction: Promise.all([counted, soon]).then(([tokens, first]) => tokens - first) };
  }

  get #contextPerSlot(): number {
    return this.#context.monitor.props?.contextPerSlot ?? Number.POSITIVE_INFINITY;
  }

  /** Never rejects: after a failure the next one is counted. */
  #count(route: ApiRoute, request: ApiRequest): Promise<number | undefined> {
    const { body } = request;
    if (this.#waiting + body.length > MAX_WAITING) return Promise.resolve(undefined);
    this.#waiting += body.length;
    const counted = this.#last
      .then(() => countInputUnlessSuspect({ ...this.#context, timeoutMs: COUNT_TIMEOUT }, route, body))
      .catch(() => undefined)
      .then((tokens) => {
        this.#waiting -= body.length;
        return tokens === undefined || this.#isServed(tokens, route, request) ? tokens : 0;
      });
    this.#last = counted;
    return counted;
  }

  /** The engine declines what does not fit the context, which costs nothing. */
  #isServed(tokens: number, { generates }: ApiRoute, { weight }: ApiRequest): boolean {
    return !generates || weight > 1 || tokens < this.#contextPerSlot;
  }
}
