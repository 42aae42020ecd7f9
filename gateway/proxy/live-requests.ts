import { RequestCancelled } from '../upstream/failure.ts';
import type { RequestRecord } from './request-record.ts';

interface LiveRequest {
  readonly record: RequestRecord;
  readonly controller: AbortController;
}

/** The requests under way: who asks what, and the means to end them. The one owner of that list. */
export class LiveRequests {
  readonly #all = new Set<LiveRequest>();
  readonly #onCount: (count: number) => void;
  #keysCutOff: ReadonlySet<string> = new Set();

  /** `onCount` is told how many there are, whenever that changes. */
  constructor(onCount: (count: number) => void = () => {}) {
    this.#onCount = onCount;
  }

  get count(): number {
    return this.#all.size;
  }

  /** Their records, the oldest first. */
  get records(): readonly RequestRecord[] {
    return [...this.#all].map(({ record }) => record);
  }

  /** Lists a request until what it answers is disposed of. The controller aborts it. */
  add(record: RequestRecord, controller: AbortController): Disposable {
    const request = { record, controller };
    this.#all.add(request);
    this.#onCount(this.#all.size);
    // Its key may have been cut off between the door and here.
    if (this.#isCutOff(request)) cancel(request);
    return {
      [Symbol.dispose]: () => {
        if (this.#all.delete(request)) this.#onCount(this.#all.size);
      },
    };
  }

  /** Cancels all requests of that id, as clients may choose one twice; answers how many. */
  cancel(id: string): number {
    return this.#cancelWhere(({ record }) => record.id === id);
  }

  /** Cancels what is under way with these keys, until it is called with others; answers how many. */
  cancelForKeys(keyIds: ReadonlySet<string>): number {
    this.#keysCutOff = keyIds;
    return this.#cancelWhere((request) => this.#isCutOff(request));
  }

  #isCutOff({ record }: LiveRequest): boolean {
    return record.keyId !== undefined && this.#keysCutOff.has(record.keyId);
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
