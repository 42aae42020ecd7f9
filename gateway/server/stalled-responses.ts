import type { ServerResponse } from 'node:http';

const CHECK_INTERVAL = 1000;

/**
 * Closes complete responses that their clients do not read. The backend has long finished them, so nothing else would
 * end them: a client that stops reading would hold its connection, and the memory of the response, forever.
 */
export class StalledResponses {
  readonly #open = new Set<ServerResponse>();
  /** Since when a response has been complete and unread, `performance.now()`. */
  readonly #since = new WeakMap<ServerResponse, number>();
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;

  /** `timeoutMs` of 0 is no limit. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.check(performance.now()), CHECK_INTERVAL).unref();
  }

  track(response: ServerResponse): void {
    if (this.#timeoutMs === 0) return;
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
  }

  check(now: number): void {
    for (const response of this.#open) {
      if (!response.writableEnded || response.writableFinished) continue;
      const since = this.#since.get(response);
      if (since === undefined) this.#since.set(response, now);
      else if (now - since >= this.#timeoutMs) response.destroy();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
