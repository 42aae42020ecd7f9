import { LRUCache } from 'lru-cache';

/** Where responses are kept, by a name of 32 bytes. Neither function ever fails or waits for long. */
export interface ResponseStore extends Disposable {
  /** Undefined if there is none, or it cannot be read now. */
  get(name: Buffer): Buffer | undefined | Promise<Buffer | undefined>;
  set(name: Buffer, value: Buffer): void;
  /** The largest value that is kept. */
  readonly maxValueBytes: number;
  /** Undefined if another process knows. */
  readonly usage: { readonly entries: number; readonly bytes: number } | undefined;
}

/** What an entry takes besides its value: its name, and places in the tables of the cache. */
const OVERHEAD = 256;
/** One response must not displace all others. */
const MAX_SHARE = 1 / 8;

/** How often expired entries are deleted, ms. Until then nobody gets them, but they take memory. */
const PURGE_INTERVAL = 60_000;

/** In the memory of this process. */
export class MemoryStore implements ResponseStore {
  readonly #entries: LRUCache<string, Buffer>;
  readonly maxValueBytes: number;
  readonly #purging: NodeJS.Timeout;

  constructor(maxBytes: number, ttlMs: number) {
    this.maxValueBytes = Math.floor(maxBytes * MAX_SHARE) - OVERHEAD;
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: this.maxValueBytes + OVERHEAD,
      sizeCalculation: (value) => value.length + OVERHEAD,
      ttl: ttlMs,
      perf: performance,
    });
    this.#purging = setInterval(() => this.#entries.purgeStale(), PURGE_INTERVAL).unref();
  }

  get(name: Buffer): Buffer | undefined {
    return this.#entries.get(name.toString('latin1'));
  }

  set(name: Buffer, value: Buffer): void {
    // Not a part of one of Node's pools, which it would keep alive.
    const own = Buffer.allocUnsafeSlow(value.length);
    value.copy(own);
    this.#entries.set(name.toString('latin1'), own);
  }

  get usage() {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#purging);
    this.#entries.clear();
  }
}
