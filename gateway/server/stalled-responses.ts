import type { ServerResponse } from 'node:http';

/** How often it is looked after them, ms. */
const LOOK_EVERY = 1000;

/**
 * Whole answers that their clients do not take. The backend has long let go of them, so nothing else would ever end
 * them: a client that stops reading would hold its connection, and the answer's memory, for good.
 */
export class StalledResponses {
  readonly #open = new Set<ServerResponse>();
  /** Since when an answer has been whole and not taken, `performance.now()`. */
  readonly #since = new WeakMap<ServerResponse, number>();
  readonly #patience: number;
  readonly #timer: NodeJS.Timeout;

  /** `patience` in ms; 0 is without end. */
  constructor(patience: number) {
    this.#patience = patience;
    this.#timer = setInterval(() => this.check(performance.now()), LOOK_EVERY).unref();
  }

  track(response: ServerResponse): void {
    if (this.#patience === 0) return;
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
  }

  check(now: number): void {
    for (const response of this.#open) {
      if (!response.writableEnded || response.writableFinished) continue;
      const since = this.#since.get(response);
      if (since === undefined) this.#since.set(response, now);
      else if (now - since >= this.#patience) response.destroy();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
