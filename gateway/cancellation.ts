/** What is used of an AbortSignal on the way of a request. Every AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Why: an error of upstream/failure.ts. */
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What is used of an AbortController to cancel a request. */
export interface CancelController {
  readonly signal: CancelSignal;
  abort(reason: Error): void;
}

/**
 * Cancels one request, and is its own signal. An AbortController with one listener takes a microsecond and a kilobyte, for each
 * of all the requests that are never cancelled (docs/performance.md).
 */
export class RequestController implements CancelController, CancelSignal {
  aborted = false;
  reason: Error | undefined = undefined;
  #listeners: (() => void)[] = [];
  #follower: AbortController | undefined = undefined;

  get signal(): CancelSignal {
    return this;
  }

  /** A second call has no effect. */
  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    this.#follower?.abort(reason);
  }

  /** A listener is called once. */
  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }

  /** The same for functions that take nothing else. */
  toAbortSignal(): AbortSignal {
    if (this.#follower === undefined) {
      this.#follower = new AbortController();
      if (this.aborted) this.#follower.abort(this.reason);
    }
    return this.#follower.signal;
  }
}

export const toAbortSignal = (signal: CancelSignal): AbortSignal =>
  signal instanceof RequestController ? signal.toAbortSignal() : (signal as AbortSignal);
