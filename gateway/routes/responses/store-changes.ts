import type { Store } from '../../../store/store.ts';

/** How often it looks while somebody waits, ms. */
const POLL = 50;

/** Notifies those who follow a background response when the runner has stored something, of whatever response. */
export class StoreChanges {
  readonly #store: () => Store;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #version: number | undefined;

  constructor(store: () => Store) {
    this.#store = store;
  }

  /** Resolves at the next change since the caller last read the store, after so long (0: no limit), or when the signal aborts. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => resolve();
    const timeout = ms === 0 ? undefined : setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    this.#waiting.add(done);
    this.#timer ??= this.#start();
    await promise;
    clearTimeout(timeout);
    signal.removeEventListener('abort', done);
    this.#waiting.delete(done);
  }

  /** For a change that this process has made: only those of others are seen. */
  notify(): void {
    for (const done of this.#waiting) done();
  }

  /** The first look always counts as a change: nobody knows what was there when the caller read. */
  #start(): NodeJS.Timeout {
    this.#version = undefined;
    return setInterval(() => this.#look(), POLL);
  }

  #look(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const version = this.#readVersion();
    if (version !== undefined && version === this.#version) return;
    this.#version = version;
    this.notify();
  }

  /** Undefined while the store cannot be read: those who wait will find that out themselves. */
  #readVersion(): number | undefined {
    try {
      return this.#store().dataVersion;
    } catch {
      return undefined;
    }
  }
}
