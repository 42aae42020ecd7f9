/** Larger pieces are kept as they come; smaller ones are copied together, as each would take more than it holds. */
const SMALL = 2048;
const LARGEST_BLOCK = 64 * 1024;
const SMALLEST_BLOCK = 1024;

/** The pieces of a body on its way. Whoever sends it in single bytes makes it take no more room than its bytes do. */
export class BodyChunks {
  #pieces: Buffer[] = [];
  #length = 0;
  #block = Buffer.alloc(0);
  #filled = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (piece.length < SMALL) this.#copy(piece);
    else {
      this.#closeBlock();
      this.#pieces.push(piece);
    }
  }

  toBuffer(): Buffer {
    this.#closeBlock();
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only ? only : Buffer.concat(this.#pieces, this.#length);
  }

  #copy(piece: Buffer): void {
    if (this.#filled + piece.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafe(this.#nextBlock(piece.length));
    }
    piece.copy(this.#block, this.#filled);
    this.#filled += piece.length;
  }

  /** As large as all that came before, so that no more than twice its bytes is held. Most bodies come in one piece. */
  #nextBlock(needed: number): number {
    if (this.#length === needed) return needed;
    return Math.max(Math.min(this.#length, LARGEST_BLOCK), SMALLEST_BLOCK, needed);
  }

  #closeBlock(): void {
    if (this.#filled > 0) this.#pieces.push(this.#block.subarray(0, this.#filled));
    this.#block = this.#block.subarray(this.#filled);
    this.#filled = 0;
  }
}
