import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

const lineEnd = '\r\n';
const lastChunk = Buffer.from('0\r\n\r\n');

/** Up to here a piece is copied into its chunk, bytes: into Node's pool, which a larger one would not come from. */
const SMALL_PIECE = 2048;

/**
 * What goes to the client of one request, and the one writer of it. Headers are gathered from the door on and written
 * once, with the head. Pieces are framed here (RFC 9112, section 7.1), a small one in one buffer: Node's own framing
 * takes four writes for each, and there is one for every token (docs/performance.md).
 */
export class ClientResponse {
  /** Node's own, for those who watch how it goes; what is written to it passes by this one. */
  readonly raw: ServerResponse;
  readonly #headers: Record<string, string> = {};
  /** Node has told the client of chunks, and leaves the framing to us: not so for HTTP/1.0, which knows none. */
  #isChunked = false;

  constructor(raw: ServerResponse) {
    this.raw = raw;
  }

  get headersSent(): boolean {
    return this.raw.headersSent;
  }

  /** Whether a sign of life may be added: nothing is left that the client has not taken. */
  get acceptsData(): boolean {
    const { writableEnded, destroyed, writableNeedDrain } = this.raw;
    return !(writableEnded || destroyed || writableNeedDrain);
  }

  /** For the head, whoever writes it. The name in lower case. */
  setHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  /** Writes the head, which goes out with the first piece. */
  writeHead(status: number, headers: OutgoingHttpHeaders): void {
    const all = Object.assign(this.#headers, headers);
    const lines: (string | number)[] = [];
    for (const name in all) lines.push(name, all[name] ?? '');
    this.raw.writeHead(status, lines as string[]);
  }

  /** Hands what was gathered to Node, for a head that somebody else writes. */
  copyHeadersToRaw(): void {
    if (this.raw.headersSent) return;
    for (const name in this.#headers) this.raw.setHeader(name, this.#headers[name] ?? '');
  }

  /** Sends the head without waiting for a piece. */
  flushHead(): void {
    this.raw.flushHeaders();
  }

  /** A piece of a begun answer; false where the client does not keep up. */
  write(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    if (this.raw.chunkedEncoding) {
      this.raw.chunkedEncoding = false;
      this.#isChunked = true;
    }
    return this.#isChunked ? this.#writeChunk(bytes) : this.raw.write(bytes);
  }

  /** The last piece, or all of it. */
  end(bytes?: Buffer): void {
    if (!this.#isChunked) {
      this.raw.end(bytes);
      return;
    }
    if (bytes !== undefined) this.write(bytes);
    this.raw.end(lastChunk);
  }

  #writeChunk(bytes: Buffer): boolean {
    const size = bytes.length.toString(16) + lineEnd;
    if (bytes.length > SMALL_PIECE) {
      this.raw.write(size, 'latin1');
      this.raw.write(bytes);
      return this.raw.write(lineEnd, 'latin1');
    }
    const chunk = Buffer.allocUnsafe(size.length + bytes.length + lineEnd.length);
    chunk.write(size, 'latin1');
    bytes.copy(chunk, size.length);
    chunk.write(lineEnd, size.length + bytes.length, 'latin1');
    return this.raw.write(chunk);
  }

  /** Cuts the connection: the one sign that no client mistakes for the end of an answer. */
  destroy(): void {
    this.raw.destroy();
  }
}
