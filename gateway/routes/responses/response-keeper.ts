import type { Log } from '../../../log/create-log.ts';
import { StoreLimitExceeded } from '../../../store/errors.ts';
import type { EndedResponse, ResponseStatus } from '../../../store/response.ts';
import type { Store } from '../../../store/store.ts';
import { ApiError } from '../../errors/api-error.ts';
import { internalError } from '../../errors/catalogue.ts';
import type { RequestRecord } from '../../proxy/request-record.ts';
import { toApiError } from '../store/store-services.ts';

/** A disk that stays full would fill the log as well. */
const LOG_INTERVAL_MS = 60_000;

/** The part of a quota that is left to what clients explicitly ask to store, such as files of batches. */
const RESERVED = 0.1;

/** Stores responses. If the store refuses one, its client gets an error only if it relies on the store. */
export class ResponseKeeper {
  readonly #store: () => Store;
  readonly #log: Log;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(store: () => Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Whether there is room, before anything is generated. Throws an ApiError if there is none for a response that `must` be kept. */
  mayKeep(owner: string, must: boolean): boolean {
    return this.#attempt(must, () => {
      const { limit, most, left } = this.#store().room(owner);
      if (left <= (must ? 0 : most * RESERVED)) throw new StoreLimitExceeded(limit, most);
    });
  }

  /** Returns false if a response is not kept; throws an ApiError if it `must` be. */
  keep(response: Omit<EndedResponse, 'status' | 'model'>, record: RequestRecord, must: boolean): boolean {
    const { status, model } = response.object;
    const ended = { ...response, status: status as ResponseStatus, model: String(model) };
    try {
      return this.#attempt(must, () => this.#store().responses.save(ended));
    } catch (error) {
      record.cause = (error as ApiError).cause;
      throw error;
    }
  }

  #attempt(must: boolean, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (thrown) {
      const error = describe(thrown);
      if (must) throw error;
      this.#logRefusal(error);
      return false;
    }
  }

  #logRefusal(error: ApiError): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = now;
    this.#log.warn({ err: error.cause, code: error.code }, `responses are not stored: ${error.message}`);
  }
}

/** Anything but an ApiError would count as a failure of the engine, and the request would be sent again. */
function describe(thrown: unknown): ApiError {
  const error = toApiError(thrown);
  return error instanceof ApiError ? error : internalError(thrown);
}
