const FIRST_SIZE = 1024;
/** Below it a loop is quicker than a call into Node. */
const SHORT = 32;

/** Bytes that are added to, piece by piece, in one buffer that doubles. */
export class GrowingBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds what stands in `source` from `start` up to `end`. */
  add(source: Buffer, start: number, end: number): void {
    const size = end - start;
    this.#makeRoomFor(size);
    if (size > SHORT) source.copy(this.#bytes, this.#length, start, end);
    else for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = source[start + i] ?? 0;
    this.#length += size;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  #makeRoomFor(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, FIRST_SIZE));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
