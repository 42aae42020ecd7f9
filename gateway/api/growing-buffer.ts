const INITIAL_SIZE = 1024;
/** Below this size a loop is faster than a call into Node. */
const SHORT = 32;

/** Shared: an empty buffer of its own costs as much as a full one. */
const empty = Buffer.alloc(0);

/** Bytes that are appended to, in one buffer that doubles. */
export class GrowingBuffer {
  #bytes: Buffer = empty;
  #length = 0;

  /** Appends the bytes of `source` from `start` up to `end`. */
  add(source: Buffer, start: number, end: number): void {
    const size = end - start;
    this.#ensureSpace(size);
    if (size > SHORT) source.copy(this.#bytes, this.#length, start, end);
    else for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = source[start + i] ?? 0;
    this.#length += size;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  #ensureSpace(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, INITIAL_SIZE));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
