import { Slab } from '../slab.ts';
import { RequestCancelled } from '../upstream/failure.ts';
import type { RequestRecord } from './request-record.ts';

/** What is needed of a request to list and to cancel it. */
interface LiveRequest {
  readonly record: RequestRecord;
  readonly controller: AbortController;
  /** A line of a batch: the runner reports whether it keeps the deployment awake. */
  readonly isBatch?: boolean;
}

/** The one list of the requests in progress, and the way to cancel them. */
export class LiveRequests {
  readonly #all = new Slab<LiveRequest>();
  readonly #onCount: (count: number) => void;
  #cancelledKeys: ReadonlySet<string> = new Set();
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
    if (this.#hasCancelledKey(request)) cancel(request);
    return {
      [Symbol.dispose]: () => {
        this.#all.remove(key);
        if (request.isBatch) this.#batches -= 1;
        this.#onCount(this.#all.size - this.#batches);
      },
    };
  }

  /** Cancels all requests with this id, as clients may use one id twice. Returns how many. */
  cancel(id: string): number {
    return this.#cancelWhere(({ record }) => record.id === id);
  }

  /** Cancels the requests of these keys, present and future, until it is called with others. Returns how many. */
  cancelForKeys(keyIds: ReadonlySet<string>): number {
    this.#cancelledKeys = keyIds;
    return this.#cancelWhere((request) => this.#hasCancelledKey(request));
  }

  #hasCancelledKey({ record }: LiveRequest): boolean {
    return record.keyId !== undefined && this.#cancelledKeys.has(record.keyId);
  }

  #cancelWhere(matches: (request: LiveRequest) => boolean): number {
    const found = [...this.#all].filter((request) => !request.controller.signal.aborted && matches(request));
    for (const request of found) cancel(request);
    return found.length;
  }
}

function cancel({ controller }: LiveRequest): void {
  controller.abort(new RequestCancelled('an operator cancelled the request'));
}
