import type { ServerResponse } from 'node:http';

/** By their names in lower case. */
export type HeaderFields = Readonly<Record<string, string | number>>;

const lineEnd = '\r\n';
const lastChunk = Buffer.from('0\r\n\r\n');

/**
 * Up to this size, in bytes, a piece is copied into its chunk, whose buffer then comes from Node's pool, and a body goes to
 * Node as text, which Node writes together with the head.
 */
const SMALL_PIECE = 2048;

/**
 * The response to one request, and the only writer of it. Headers are collected from the middleware on and written once,
 * with the head. Chunks are framed here (RFC 9112, section 7.1), a small one in a single buffer: Node's own framing needs
 * four writes per chunk, and there is one chunk per token (docs/performance.md).
 */
export class ClientResponse {
  /** Node's response, to observe its state. Do not write to it directly. */
  readonly raw: ServerResponse;
  /** Receives the pieces of the body that are sent from then on. */
  onBody: ((piece: Buffer) => void) | undefined = undefined;
  /** Names and values in turns, as Node takes them. */
  readonly #headers: (string | number)[] = [];
  /** Whether the framing is ours: Node has sent `transfer-encoding: chunked`. Never for HTTP/1.0. */
  #isChunked = false;

  constructor(raw: ServerResponse) {
    this.raw = raw;
  }

  get headersSent(): boolean {
    return this.raw.headersSent;
  }

  /** Whether keep-alive bytes may be written: the client has read everything so far. */
  get acceptsData(): boolean {
    const { writableEnded, destroyed, writableNeedDrain } = this.raw;
    return !(writableEnded || destroyed || writableNeedDrain);
  }

  /** Adds a header to the head, or replaces it. The name must be in lower case. */
  setHeader(name: string, value: string | number): void {
    const headers = this.#headers;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] === name) {
        headers[i + 1] = value;
        return;
      }
    }
    headers.push(name, value);
  }

  /** Whether a header of this name, in lower case, has been added. */
  hasHeader(name: string): boolean {
    return this.#headers.some((entry, i) => i % 2 === 0 && entry === name);
  }

  /** Writes the head, which is sent with the first piece. */
  writeHead(status: number, headers: HeaderFields): void {
    for (const name in headers) this.setHeader(name, headers[name] ?? '');
    this.raw.writeHead(status, this.#headers as string[]);
  }

  /** Passes the collected headers to Node, for a response that Hono writes. */
  copyHeadersToRaw(): void {
    if (this.raw.headersSent) return;
    const headers = this.#headers;
    for (let i = 0; i < headers.length; i += 2) this.raw.setHeader(String(headers[i]), headers[i + 1] ?? '');
  }

  /** Sends the head at once. */
  flushHead(): void {
    this.raw.flushHeaders();
  }

  /** Writes a piece of the body. False where the client does not keep up. */
  write(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    this.onBody?.(bytes);
    if (this.raw.chunkedEncoding) {
      this.raw.chunkedEncoding = false;
      this.#isChunked = true;
    }
    return this.#isChunked ? this.#writeChunk(bytes) : this.raw.write(bytes);
  }

  /** Ends the body, optionally with a last piece. */
  end(bytes?: Buffer): void {
    if (!this.#isChunked) {
      if (bytes !== undefined) this.onBody?.(bytes);
      if (bytes !== undefined && bytes.length <= SMALL_PIECE)
        this.raw.end(bytes.toString('latin1'), 'latin1');
      else this.raw.end(bytes);
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

  /** Closes the connection: the only signal that no client mistakes for the end of a response. */
  destroy(): void {
    this.raw.destroy();
  }
}
