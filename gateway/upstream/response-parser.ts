import { MalformedResponse } from './failure.ts';

/** The headers of a response that are read. Others are skipped. */
export type ResponseHeaders = {
  readonly 'content-type'?: string | undefined;
  readonly 'content-length'?: string | undefined;
  readonly 'transfer-encoding'?: string | undefined;
  readonly connection?: string | undefined;
  readonly 'keep-alive'?: string | undefined;
};

export interface ResponseParserHandler {
  onHead(status: number, headers: ResponseHeaders): void;
  /** A part of the body, without the framing of its chunks. The handler may keep the bytes. */
  onBody(bytes: Buffer): void;
}

const MAX_HEAD_BYTES = 32 * 1024;
/** Nearly all heads are shorter. What came with one, often a whole stream, need not be decoded. */
const USUAL_HEAD_BYTES = 512;
const MAX_LINE_BYTES = 1024;
const MAX_SIZE_DIGITS = 8;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SEMICOLON = 0x3b;

/**
 * Parses HTTP/1.1 responses (RFC 9112) from the chunks of a connection, one after the other, as llama-server and the proxies
 * before it write them: a status line and header lines that end in CR LF, and a body delimited by `Content-Length`, in
 * chunks, or up to the close. Interim responses are skipped, and those of HTTP/1.0 end their connection. Strict: throws
 * MalformedResponse for anything else, and for bytes after the end of a response.
 */
export class ResponseParser {
  readonly #handler: ResponseParserHandler;
  #expects: 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'close' | 'nothing' =
    'head';
  /** Bytes to come of a body of known length, or of a chunk. */
  #remaining = 0;
  /** The beginning of a head or line whose end has not arrived. */
  #incomplete: Buffer | undefined = undefined;
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

  /** Expects the next response. */
  reset(): void {
    this.#expects = 'head';
  }

  /** The other side has closed. Returns false if the response was not complete. */
  end(): boolean {
    if (this.#expects === 'close') this.#expects = 'nothing';
    return this.isDone;
  }

  /** The caller may overwrite the chunk afterwards. `length`: how many of its bytes are to be read. */
  parse(chunk: Buffer, length = chunk.length): void {
    if (this.#incomplete === undefined) {
      this.#parse(chunk, length);
      return;
    }
    const bytes = Buffer.concat([this.#incomplete, chunk.subarray(0, length)]);
    this.#incomplete = undefined;
    this.#parse(bytes, bytes.length);
  }

  #parse(bytes: Buffer, length: number): void {
    const bodyAt = this.#expects === 'head' ? this.#readHead(bytes, length) : 0;
    if (bodyAt === length) return;
    if (this.#expects === 'length') this.#readAll(bytes, bodyAt, length);
    else this.#readBody(bytes, bodyAt, length);
  }

  /** Returns where the body begins: at the end of the bytes if the head has not ended yet. */
  #readHead(bytes: Buffer, length: number, decoded = USUAL_HEAD_BYTES): number {
    const text = bytes.toString('latin1', 0, Math.min(length, decoded));
    let type: string | undefined;
    let contentLength: string | undefined;
    let coding: string | undefined;
    let connection: string | undefined;
    let keepAlive: string | undefined;
    let at = 0;
    for (let line = 0; ; line++) {
      const end = text.indexOf('\n', at) - 1;
      if (end === -2) {
        if (decoded < Math.min(length, MAX_HEAD_BYTES)) return this.#readHead(bytes, length, MAX_HEAD_BYTES);
        return this.#keepIncomplete(bytes, 0, length, MAX_HEAD_BYTES);
      }
      if (text.charCodeAt(end) !== CR) throw lineWithoutEnd();
      const from = at;
      at = end + 2;
      if (line === 0) continue;
      if (end === from) break;
      const colon = text.indexOf(':', from);
      if (colon <= from || colon > end) throw new MalformedResponse('a header without a name');
      switch (readName(text, from, colon)) {
        case 'content-type':
          type = text.slice(colon + 1, end).trim();
          break;
        case 'content-length':
          contentLength = readOnce(contentLength, text.slice(colon + 1, end));
          break;
        case 'transfer-encoding':
          coding = readOnce(coding, text.slice(colon + 1, end));
          break;
        case 'connection':
          connection = text.slice(colon + 1, end).trim();
          break;
        case 'keep-alive':
          keepAlive = text.slice(colon + 1, end).trim();
      }
    }
    const status = readStatus(text);
    // Another head follows, of the response itself.
    if (status < 200) return this.#readNextHead(bytes, at, length);
    this.#keepAlive = staysOpen(text, connection);
    this.#expectBody(status, coding, contentLength);
    this.#handler.onHead(status, {
      'content-type': type,
      'content-length': contentLength,
      'transfer-encoding': coding,
      connection,
      'keep-alive': keepAlive,
    });
    return at;
  }

  #readNextHead(bytes: Buffer, at: number, length: number): number {
    const rest = bytes.subarray(at, length);
    return at + this.#readHead(rest, rest.length);
  }

  #expectBody(status: number, coding: string | undefined, length: string | undefined): void {
    if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || length !== undefined))
      throw new MalformedResponse('a response with an unsupported transfer encoding');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new MalformedResponse('a response whose content length is not a number');
    this.#remaining = length === undefined ? 0 : Number(length);
    if (coding !== undefined) this.#expects = 'chunk size';
    else if (status === 204 || status === 304 || length === '0') this.#expects = 'nothing';
    else this.#expects = length === undefined ? 'close' : 'length';
  }

  /** The usual case of `#readBody`. */
  #readAll(bytes: Buffer, at: number, length: number): void {
    this.#remaining -= length - at;
    if (this.#remaining < 0) throw bytesAfterEnd();
    if (this.#remaining === 0) this.#expects = 'nothing';
    const body = Buffer.allocUnsafe(length - at);
    bytes.copy(body, 0, at, length);
    this.#handler.onBody(body);
  }

  /** All of the body in one chunk is passed on in one piece: many events, if a stream is fast. */
  #readBody(bytes: Buffer, from: number, length: number): void {
    const body = Buffer.allocUnsafe(length - from);
    let at = from;
    let filled = 0;
    while (at < length) {
      if (this.#expects === 'chunk' || this.#expects === 'close') {
        const end = this.#expects === 'close' ? length : Math.min(at + this.#remaining, length);
        bytes.copy(body, filled, at, end);
        filled += end - at;
        this.#remaining -= end - at;
        at = end;
        if (this.#expects === 'chunk' && this.#remaining === 0) this.#expects = 'chunk end';
      } else if (this.#expects === 'chunk size') at = this.#readChunkSize(bytes, at, length);
      else if (this.#expects === 'nothing') throw bytesAfterEnd();
      else at = this.#readLine(bytes, at, length);
    }
    if (filled > 0) this.#handler.onBody(body.subarray(0, filled));
  }

  /** Returns where the chunk begins. Chunk extensions are skipped. */
  #readChunkSize(bytes: Buffer, from: number, length: number): number {
    let size = 0;
    let at = from;
    while (at < length && bytes[at] !== CR && bytes[at] !== SEMICOLON && bytes[at] !== SPACE) {
      const digit = hexDigit(bytes[at] ?? 0);
      if (digit === -1 || at - from === MAX_SIZE_DIGITS)
        throw new MalformedResponse('a chunk without a size');
      size = size * 16 + digit;
      at += 1;
    }
    const sizeEnd = at;
    while (at < length && bytes[at] !== CR) at += 1;
    if (at + 1 >= length) return this.#keepIncomplete(bytes, from, length, MAX_LINE_BYTES);
    if (sizeEnd === from || bytes[at + 1] !== LF) throw new MalformedResponse('a chunk without a size');
    this.#remaining = size;
    this.#expects = size === 0 ? 'trailer' : 'chunk';
    return at + 2;
  }

  /** Reads the end of a chunk, or a trailer. Returns where the next element begins. */
  #readLine(bytes: Buffer, at: number, length: number): number {
    const end = bytes.indexOf(LF, at);
    if (end === -1 || end >= length) return this.#keepIncomplete(bytes, at, length, MAX_LINE_BYTES);
    if (bytes[end - 1] !== CR || end === at) throw lineWithoutEnd();
    const isEmpty = end === at + 1;
    if (this.#expects === 'trailer') this.#expects = isEmpty ? 'nothing' : 'trailer';
    else if (isEmpty) this.#expects = 'chunk size';
    else throw new MalformedResponse('a chunk that is longer than its size');
    return end + 1;
  }

  /** Returns the end of the bytes. */
  #keepIncomplete(bytes: Buffer, at: number, length: number, maxBytes: number): number {
    if (length - at > maxBytes) throw new MalformedResponse('a line that is too long');
    this.#incomplete = Buffer.from(bytes.subarray(at, length));
    return length;
  }
}

const lineWithoutEnd = () => new MalformedResponse('a line that does not end in CR LF');
const bytesAfterEnd = () => new MalformedResponse('bytes after the end of a response');

function readStatus(head: string): number {
  if (!/^HTTP\/1\.[01] [1-5]\d\d[ \r]/.test(head) || head.startsWith('101', 9))
    throw new MalformedResponse('not the head of an HTTP/1.1 response');
  return Number(head.slice(9, 12));
}

/** Whether another response may follow on the connection. */
function staysOpen(head: string, connection: string | undefined): boolean {
  if (head.startsWith('HTTP/1.0')) return false;
  return connection === undefined || !/(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(connection);
}

/** In lower case. The length alone rules out most names that are not read. */
function readName(head: string, at: number, colon: number): string | undefined {
  switch (colon - at) {
    case 'connection'.length: // As long as `keep-alive`.
    case 'content-type'.length:
    case 'content-length'.length:
    case 'transfer-encoding'.length:
      return head.slice(at, colon).toLowerCase();
    default:
      return undefined;
  }
}

/** A framing header that comes twice, even with the same value, is an attack or a fault. */
function readOnce(before: string | undefined, value: string): string {
  if (before !== undefined) throw new MalformedResponse('two headers for the length of a response');
  return value.trim();
}

/** -1 for any other character. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
