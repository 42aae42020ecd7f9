import { UnexpectedResponse } from './failure.ts';

export interface ResponseParserHandler {
  onHead(status: number, headers: Record<string, string>): void;
  /** A part of the body, without the framing of its chunks; the bytes are the listener's own. */
  onBody(bytes: Buffer): void;
}

const MOST_HEAD_BYTES = 32 * 1024;
const MOST_LINE_BYTES = 1024;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Reads one answer of HTTP/1.1 (RFC 9112) from the pieces of a connection, as llama-server writes it: a status line and
 * header lines that end in CR LF, and a body told by `Content-Length`, in chunks, or up to the close. Strict: throws
 * AnswerMisunderstood for anything else, and for anything behind the answer's end.
 */
export class ResponseParser {
  readonly #listener: ResponseParserHandler;
  #awaits: 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'close' | 'nothing' =
    'head';
  /** Of a body of known length, or of a chunk: bytes still to come. */
  #left = 0;
  /** The beginning of a head or line. */
  #kept: Buffer | undefined;
  #keepsAlive = true;

  constructor(listener: ResponseParserHandler) {
    this.#listener = listener;
  }

  get isDone(): boolean {
    return this.#awaits === 'nothing';
  }

  /** Whether the connection will take another request. */
  get isReusable(): boolean {
    return this.isDone && this.#keepsAlive;
  }

  /** The other side has closed; false where the answer was not whole. */
  end(): boolean {
    if (this.#awaits === 'close') this.#awaits = 'nothing';
    return this.isDone;
  }

  /** The piece may be overwritten afterwards. */
  parse(piece: Buffer): void {
    const bytes = this.#kept === undefined ? piece : Buffer.concat([this.#kept, piece]);
    this.#kept = undefined;
    const bodyAt = this.#awaits === 'head' ? this.#readHead(bytes) : 0;
    if (bodyAt === -1) return;
    if (this.isDone && bodyAt < bytes.length)
      throw new UnexpectedResponse('bytes behind the end of an answer');
    if (bodyAt < bytes.length) this.#readBody(bytes, bodyAt);
  }

  /** Where the body begins, or -1 where the head has not ended yet. */
  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > MOST_HEAD_BYTES) return this.#keep(bytes, 0, MOST_HEAD_BYTES);
    const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d)(?: |$)/.exec(first)?.[1]);
    if (!(status >= 200)) throw new UnexpectedResponse('not the head of an HTTP/1.1 answer');
    const headers = readHeaders(lines);
    this.#keepsAlive = headers.connection?.toLowerCase() !== 'close';
    this.#awaitBody(status, headers);
    this.#listener.onHead(status, headers);
    return end + 4;
  }

  #awaitBody(status: number, headers: Record<string, string>): void {
    const { 'transfer-encoding': coding, 'content-length': length } = headers;
    if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || length !== undefined))
      throw new UnexpectedResponse('an answer framed in a way that was not asked for');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new UnexpectedResponse('an answer of a length that is no number');
    this.#left = Number(length ?? 0);
    if (coding !== undefined) this.#awaits = 'chunk size';
    else if (status === 204 || status === 304 || length === '0') this.#awaits = 'nothing';
    else this.#awaits = length === undefined ? 'close' : 'length';
  }

  /** What one piece brings of the body goes on in one: many events, where a stream is fast. */
  #readBody(bytes: Buffer, from: number): void {
    const body = Buffer.allocUnsafe(bytes.length - from);
    let at = from;
    let filled = 0;
    while (at < bytes.length && this.#kept === undefined) {
      if (this.#awaits === 'nothing') throw new UnexpectedResponse('bytes behind the end of an answer');
      if (this.#awaits === 'length' || this.#awaits === 'chunk' || this.#awaits === 'close') {
        const most = this.#awaits === 'close' ? bytes.length - at : Math.min(this.#left, bytes.length - at);
        bytes.copy(body, filled, at, at + most);
        filled += most;
        at += most;
        this.#took(most);
      } else at = this.#readLine(bytes, at);
    }
    if (filled > 0) this.#listener.onBody(body.subarray(0, filled));
  }

  #took(count: number): void {
    if (this.#awaits === 'close') return;
    this.#left -= count;
    if (this.#left === 0) this.#awaits = this.#awaits === 'chunk' ? 'chunk end' : 'nothing';
  }

  /** One of the lines between chunks; answers where the next thing begins. */
  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(lineFeed, at);
    if (end === -1) return this.#keep(bytes, at, MOST_LINE_BYTES);
    if (bytes[end - 1] !== carriageReturn || end === at) throw new UnexpectedResponse('a line without CR LF');
    const line = bytes.toString('latin1', at, end - 1);
    if (this.#awaits === 'chunk size') this.#await(chunkSize(line));
    else if (this.#awaits === 'trailer') this.#awaits = line === '' ? 'nothing' : 'trailer';
    else if (line === '') this.#awaits = 'chunk size';
    else throw new UnexpectedResponse('a chunk that is longer than it said');
    return end + 1;
  }

  #await(chunkBytes: number): void {
    this.#left = chunkBytes;
    this.#awaits = chunkBytes === 0 ? 'trailer' : 'chunk';
  }

  #keep(bytes: Buffer, at: number, most: number): -1 {
    if (bytes.length - at > most) throw new UnexpectedResponse('a line that does not end');
    this.#kept = Buffer.from(bytes.subarray(at));
    return -1;
  }
}

/** Without what may follow the number, which llama-server does not use. */
function chunkSize(line: string): number {
  if (!/^[\da-f]{1,8}$/i.test(line)) throw new UnexpectedResponse('a chunk without a size');
  return Number.parseInt(line, 16);
}

/** Names in lower case. A header of framing that comes twice, even with one value, is an attack or a fault. */
function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new UnexpectedResponse('a header without a name');
    const name = line.slice(0, colon).toLowerCase();
    const isTwice = name in headers && (name === 'content-length' || name === 'transfer-encoding');
    if (isTwice) throw new UnexpectedResponse(`two headers ${name}`);
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}
