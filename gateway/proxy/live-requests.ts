import type { Fingerprint, Key } from '../../keys/key.ts';
import type { CancelController } from '../cancellation.ts';
import { Slab } from '../slab.ts';
import { RequestCancelled } from '../upstream/failure.ts';
import type { RequestRecord } from './request-record.ts';

/** What is needed of a request to list and to cancel it. */
interface LiveRequest {
  readonly record: RequestRecord;
  readonly controller: CancelController;
  /** As it was when the request was authenticated. */
  readonly key?: Key | undefined;
  /** A line of a batch: the runner reports whether it keeps the deployment awake. */
  readonly isBatch?: boolean;
  /** The id of a background response that the runner asks for. */
  readonly background?: string | undefined;
}

/** The one list of the requests in progress, and the way to cancel them. */
export class LiveRequests {
  readonly #all = new Slab<LiveRequest>();
  readonly #onCount: (count: number) => void;
  #cancelledKeys: ReadonlySet<string> = new Set();
  #currentSecrets: ReadonlyMap<string, Fingerprint> = new Map();
  #batches = 0;

  /** `onCount` is called with the number of requests, lines of batches not included, whenever that changes. */
  constructor(onCount: (count: number) => void = () => {}) {
    this.#onCount = onCount;
  }

  get count(): number {
    return this.#all.size;
  }

  /** Their records, the oldest first. */
  get records(): readonly RequestRecord[] {
    const records = Array.from(this.#all, ({ record }) => record);
    return records.sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Lists a request until the returned value is disposed of, once. */
  add(request: LiveRequest): Disposable {
    const key = this.#all.insert(request);
    if (request.isBatch) this.#batches += 1;
    this.#onCount(this.#all.size - this.#batches);
    // Its key may have been disabled since it was checked.
    if (this.#isCutOff(request)) cancel(request);
    return new Listing(() => this.#remove(key, request));
  }

  #remove(key: number, { isBatch }: LiveRequest): void {
    this.#all.remove(key);
    if (isBatch) this.#batches -= 1;
    this.#onCount(this.#all.size - this.#batches);
  }

  /** Cancels all requests with this id, as clients may use one id twice. Returns how many. */
  cancel(id: string): number {
    return this.#cancelWhere(({ record }) => record.id === id);
  }

  /** Cancels the request of the runner for a background response. */
  cancelBackground(responseId: string): void {
    this.#cancelWhere(({ background }) => background === responseId);
  }

  /**
   * Cancels the requests of these keys, present and future, until it is called with others, and those with another secret
   * than the given one. Returns how many. The runner uses no secret: what it does for a key goes on when that is rotated.
   */
  cancelForKeys(
    keyIds: ReadonlySet<string>,
    currentSecrets: ReadonlyMap<string, Fingerprint> = new Map(),
  ): number {
    this.#cancelledKeys = keyIds;
    this.#currentSecrets = currentSecrets;
    return this.#cancelWhere((request) => this.#isCutOff(request));
  }

  #isCutOff({ record: { keyId }, key, isBatch, background }: LiveRequest): boolean {
    if (keyId === undefined) return false;
    if (this.#cancelledKeys.has(keyId)) return true;
    const current = this.#currentSecrets.get(keyId);
    const isOfRunner = isBatch || background !== undefined;
    return current !== undefined && key !== undefined && !isOfRunner && key.fingerprint !== current;
  }

  #cancelWhere(matches: (request: LiveRequest) => boolean): number {
    const found = [...this.#all].filter((request) => !request.controller.signal.aborted && matches(request));
    for (const request of found) cancel(request);
    return found.length;
  }
}

/** A class, as an object literal with a computed name takes V8 ten times as long. */
class Listing implements Disposable {
  readonly #remove: () => void;

  constructor(remove: () => void) {
    this.#remove = remove;
  }

  [Symbol.dispose](): void {
    this.#remove();
  }
}

function cancel({ controller }: LiveRequest): void {
  controller.abort(new RequestCancelled('an operator cancelled the request'));
}
