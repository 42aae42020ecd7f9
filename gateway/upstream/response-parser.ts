import { UnexpectedResponse } from './failure.ts';

export interface ResponseParserHandler {
  onHead(status: number, headers: Record<string, string>): void;
  /** A part of the body, without the framing of its chunks. The handler may keep the bytes. */
  onBody(bytes: Buffer): void;
}

const MAX_HEAD_BYTES = 32 * 1024;
const MAX_LINE_BYTES = 1024;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Parses one HTTP/1.1 response (RFC 9112) from the chunks of a connection, as llama-server writes it: a status line and
 * header lines that end in CR LF, and a body delimited by `Content-Length`, in chunks, or up to the close. Strict: throws
 * UnexpectedResponse for anything else, and for bytes after the end of the response.
 */
export class ResponseParser {
  readonly #handler: ResponseParserHandler;
  #expects: 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'close' | 'nothing' =
    'head';
  /** Bytes to come of a body of known length, or of a chunk. */
  #remaining = 0;
  /** The beginning of a head or line whose end has not arrived. */
  #incomplete: Buffer | undefined;
  #keepAlive = true;

  constructor(handler: ResponseParserHandler) {
    this.#handler = handler;
  }

  get isDone(): boolean {
    return this.#expects === 'nothing';
  }

  /** Whether the connection can take another request. */
  get isReusable(): boolean {
    return this.isDone && this.#keepAlive;
  }

  /** The other side has closed. Returns false if the response was not complete. */
  end(): boolean {
    if (this.#expects === 'close') this.#expects = 'nothing';
    return this.isDone;
  }

  /** The caller may overwrite the chunk afterwards. */
  parse(chunk: Buffer): void {
    const bytes = this.#incomplete === undefined ? chunk : Buffer.concat([this.#incomplete, chunk]);
    this.#incomplete = undefined;
    const bodyAt = this.#expects === 'head' ? this.#readHead(bytes) : 0;
    if (bodyAt === -1) return;
    if (this.isDone && bodyAt < bytes.length)
      throw new UnexpectedResponse('bytes after the end of a response');
    if (bodyAt < bytes.length) this.#readBody(bytes, bodyAt);
  }

  /** Returns where the body begins, or -1 if the head has not ended yet. */
  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > MAX_HEAD_BYTES) return this.#keepIncomplete(bytes, 0, MAX_HEAD_BYTES);
    const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d)(?: |$)/.exec(first)?.[1]);
    if (!(status >= 200)) throw new UnexpectedResponse('not the head of an HTTP/1.1 response');
    const headers = parseHeaders(lines);
    this.#keepAlive = headers.connection?.toLowerCase() !== 'close';
    this.#expectBody(status, headers);
    this.#handler.onHead(status, headers);
    return end + 4;
  }

  #expectBody(status: number, headers: Record<string, string>): void {
    const { 'transfer-encoding': coding, 'content-length': length } = headers;
    if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || length !== undefined))
      throw new UnexpectedResponse('a response with an unsupported transfer encoding');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new UnexpectedResponse('a response whose content length is not a number');
    this.#remaining = Number(length ?? 0);
    if (coding !== undefined) this.#expects = 'chunk size';
    else if (status === 204 || status === 304 || length === '0') this.#expects = 'nothing';
    else this.#expects = length === undefined ? 'close' : 'length';
  }

  /** All of the body in one chunk is passed on in one piece: many events, if a stream is fast. */
  #readBody(bytes: Buffer, from: number): void {
    const body = Buffer.allocUnsafe(bytes.length - from);
    let at = from;
    let filled = 0;
    while (at < bytes.length && this.#incomplete === undefined) {
      if (this.#expects === 'nothing') throw new UnexpectedResponse('bytes after the end of a response');
      if (this.#expects === 'length' || this.#expects === 'chunk' || this.#expects === 'close') {
        const most =
          this.#expects === 'close' ? bytes.length - at : Math.min(this.#remaining, bytes.length - at);
        bytes.copy(body, filled, at, at + most);
        filled += most;
        at += most;
        this.#consume(most);
      } else at = this.#readLine(bytes, at);
    }
    if (filled > 0) this.#handler.onBody(body.subarray(0, filled));
  }

  #consume(count: number): void {
    if (this.#expects === 'close') return;
    this.#remaining -= count;
    if (this.#remaining === 0) this.#expects = this.#expects === 'chunk' ? 'chunk end' : 'nothing';
  }

  /** Reads one of the lines between chunks. Returns where the next element begins. */
  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    if (end === -1) return this.#keepIncomplete(bytes, at, MAX_LINE_BYTES);
    if (bytes[end - 1] !== CR || end === at)
      throw new UnexpectedResponse('a line that does not end in CR LF');
    const line = bytes.toString('latin1', at, end - 1);
    if (this.#expects === 'chunk size') this.#expectChunk(parseChunkSize(line));
    else if (this.#expects === 'trailer') this.#expects = line === '' ? 'nothing' : 'trailer';
    else if (line === '') this.#expects = 'chunk size';
    else throw new UnexpectedResponse('a chunk that is longer than its size');
    return end + 1;
  }

  #expectChunk(chunkBytes: number): void {
    this.#remaining = chunkBytes;
    this.#expects = chunkBytes === 0 ? 'trailer' : 'chunk';
  }

  #keepIncomplete(bytes: Buffer, at: number, maxBytes: number): -1 {
    if (bytes.length - at > maxBytes) throw new UnexpectedResponse('a line that is too long');
    this.#incomplete = Buffer.from(bytes.subarray(at));
    return -1;
  }
}

/** Chunk extensions are not supported: llama-server does not send any. */
function parseChunkSize(line: string): number {
  if (!/^[\da-f]{1,8}$/i.test(line)) throw new UnexpectedResponse('a chunk without a size');
  return Number.parseInt(line, 16);
}

/** Names are in lower case. A framing header that comes twice, even with the same value, is an attack or a fault. */
function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new UnexpectedResponse('a header without a name');
    const name = line.slice(0, colon).toLowerCase();
    const isDuplicate = name in headers && (name === 'content-length' || name === 'transfer-encoding');
    if (isDuplicate) throw new UnexpectedResponse(`two ${name} headers`);
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}
