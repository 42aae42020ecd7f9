/** Larger chunks are kept as they come; smaller ones are copied together, as a Buffer takes more than it holds. */
const SMALL = 2048;
const LARGEST_BLOCK = 64 * 1024;
const SMALLEST_BLOCK = 1024;

/** The chunks of a body that is arriving. A client that sends single bytes takes no more memory than the bytes do. */
export class BodyChunks {
  #chunks: Buffer[] = [];
  #length = 0;
  #block = Buffer.alloc(0);
  #filled = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (chunk.length < SMALL) this.#copy(chunk);
    else {
      this.#closeBlock();
      this.#chunks.push(chunk);
    }
  }

  toBuffer(): Buffer {
    this.#closeBlock();
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks, this.#length);
  }

  #copy(chunk: Buffer): void {
    if (this.#filled + chunk.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafe(this.#nextBlockSize(chunk.length));
    }
    chunk.copy(this.#block, this.#filled);
    this.#filled += chunk.length;
  }

  /** As large as everything before it, so that at most twice the bytes are held. Most bodies arrive in one chunk. */
  #nextBlockSize(needed: number): number {
    if (this.#length === needed) return needed;
    return Math.max(Math.min(this.#length, LARGEST_BLOCK), SMALLEST_BLOCK, needed);
  }

  #closeBlock(): void {
    if (this.#filled > 0) this.#chunks.push(this.#block.subarray(0, this.#filled));
    this.#block = this.#block.subarray(this.#filled);
    this.#filled = 0;
  }
}
