import type { Priority } from '../../keys/key.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { RequestOutcome, RequestRecord } from './request-record.ts';

/** A request is over: its response has closed and its record is complete. */
export interface RequestFinished {
  readonly record: RequestRecord;
  readonly end: RequestOutcome;
  /** The route pattern that matched, such as `/v1/models/:id{.+}`. */
  readonly pattern: string;
  readonly priority: Priority | undefined;
}

/** A promise that it returns is for work that a shutdown has to wait for. */
export type RequestObserver = (event: RequestFinished) => void | Promise<void>;

/** Passes each finished request to every observer, once. Observers learn of requests in no other way. */
export class RequestEvents {
  readonly #observers: readonly RequestObserver[];
  #pending = 0;
  #onIdle: (() => void)[] = [];

  constructor(observers: readonly RequestObserver[]) {
    this.#observers = observers;
  }

  /** Counts a request as pending. Call the returned function once, when its response has closed. */
  begin(): (event: RequestFinished) => Promise<void> {
    this.#pending += 1;
    return async (event) => {
      const work = this.#observers.flatMap((observer) => notify(observer, event) ?? []);
      if (work.length > 0) await Promise.all(work);
      this.#finish();
    };
  }

  #finish(): void {
    this.#pending -= 1;
    if (this.#pending === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Resolves when no request is pending, or after so many ms. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }
}

/** A failure of one observer is logged and does not affect the others. */
function notify(observer: RequestObserver, event: RequestFinished): Promise<void> | undefined {
  try {
    const work = observer(event);
    return work instanceof Promise ? work.catch(recordUnhandledError) : undefined;
  } catch (error) {
    recordUnhandledError(error);
    return undefined;
  }
}
