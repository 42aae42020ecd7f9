/** How many of the last pieces are kept: finish, usage and end mark may each come in one of their own. */
const LAST_PIECES = 4;
const MAX_CHARACTERS = 64 * 1024;

/** What is kept of an answer on its way: how much, since when, and its two ends, where the counts stand. */
export class ResponseTail {
  /** All bytes so far. */
  bytes = 0;
  /** Events of a stream with generated text so far: about one for each token. */
  generated = 0;
  /** When the first of them went out, `performance.now()`; undefined before. */
  firstByteAt: number | undefined;
  readonly #last: (Buffer | undefined)[] = new Array(LAST_PIECES).fill(undefined);
  #first: Buffer | undefined;
  #next = 0;

  /** A piece that goes to the client as it is. */
  add(piece: Buffer): void {
    this.keep(piece);
    this.countSent(piece.length);
  }

  /** References only: nothing is copied, nothing is read, until somebody asks. */
  keep(piece: Buffer): void {
    if (this.#first === undefined) this.#first = piece;
    else {
      this.#last[this.#next] = piece;
      this.#next = (this.#next + 1) % LAST_PIECES;
    }
  }

  /** So many bytes go to the client, made of what is kept. */
  countSent(bytes: number): void {
    this.firstByteAt ??= performance.now();
    this.bytes += bytes;
  }

  /** The first piece and the last ones. What is looked for in them is ASCII, and latin1 is the quickest to decode. */
  text(): string {
    return this.#decode(MAX_CHARACTERS);
  }

  /** The same uncut: the name of an event may stand before very much data. */
  fullText(): string {
    return this.#decode(Number.POSITIVE_INFINITY);
  }

  #decode(most: number): string {
    const inOrder = [...this.#last.slice(this.#next), ...this.#last.slice(0, this.#next)];
    const tail = Buffer.concat(inOrder.filter((piece) => piece !== undefined));
    const head = this.#first ?? Buffer.alloc(0);
    return (
      head.toString('latin1', Math.max(head.length - most, 0)) +
      tail.toString('latin1', Math.max(tail.length - most, 0))
    );
  }
}
