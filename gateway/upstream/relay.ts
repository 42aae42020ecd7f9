import type { StreamError } from '../api/response-format.ts';

/** Passes the body of a response from the backend to the client. Each kind of response has a class of its own. */
export interface Relay {
  /** The client has received a part of the response, so no other response can take its place. */
  readonly hasStarted: boolean;
  /** False if the client does not keep up: stop reading until the response drains. */
  write(chunk: Buffer): boolean;
  /** The backend has closed its response. Returns false if that was not complete. */
  end(): boolean;
  /** The response will never be complete: informs the client, as far as its kind of response allows. */
  fail(error: StreamError): void;
}

/** Number of last chunks that are kept: finish reason, usage and end marker may each come in a chunk of its own. */
const LAST_CHUNKS = 4;
const MAX_CHARACTERS = 64 * 1024;
/** Enough for the first event of a stream, and for its last ones: with the counts after any text (api/responses). */
const STREAM_START = 4 * 1024;
const STREAM_END = 16 * 1024;
const END = 2 * 1024;
const noChunks: readonly Buffer[] = [];

/** What is kept of a response while it is relayed: its size, when it began, and its first and last chunks. */
export class ResponseTail {
  /** All bytes so far. */
  bytes = 0;
  /** Events of a stream with generated text so far: about one for each token. */
  generated = 0;
  /** When the first byte was sent to the client, `performance.now()`; undefined before. */
  firstByteAt: number | undefined = undefined;
  #first: Buffer | undefined = undefined;
  /** A ring; undefined while there is only one chunk. */
  #last: Buffer[] | undefined = undefined;
  #next = 0;

  /** A chunk that is sent to the client as it is. */
  add(chunk: Buffer): void {
    this.keep(chunk);
    this.countSent(chunk.length);
  }

  /** Keeps references only. Nothing is copied or decoded until `text` is called. */
  keep(chunk: Buffer): void {
    if (this.#first === undefined) {
      this.#first = chunk;
      return;
    }
    this.#last ??= [];
    this.#last[this.#next] = chunk;
    this.#next = (this.#next + 1) % LAST_CHUNKS;
  }

  /** Counts bytes that are sent to the client and were made from what is kept. */
  countSent(bytes: number): void {
    this.firstByteAt ??= performance.now();
    this.bytes += bytes;
  }

  /** The first and the last chunks, cut to 64 KiB each. Readers look for ASCII, and latin1 is the fastest to decode. */
  text(): string {
    return this.#decode(MAX_CHARACTERS);
  }

  /** The same, not cut: the name of an event may come before a large amount of data. */
  fullText(): string {
    return this.#decode(Number.POSITIVE_INFINITY);
  }

  /** The beginning and the end of a stream: its counts, its finish reason and an error are in its first and last events. */
  streamEnds(): string {
    const first = this.#first;
    if (first === undefined) return '';
    const start = first.toString('latin1', 0, STREAM_START);
    return start + this.#decodeLast(STREAM_END, STREAM_START);
  }

  /** The last 2 KiB. Nearly all responses of OpenAI's APIs have all of that there, and decoding more takes longer than reading. */
  end(): string {
    return this.#decodeLast(END, 0);
  }

  /** So many last bytes, but not those of the first chunk before `firstFrom`. */
  #decodeLast(bytes: number, firstFrom: number): string {
    let end = '';
    for (const chunk of this.#newestFirst()) {
      const missing = bytes - end.length;
      if (missing === 0) return end;
      end = decodeEnd(chunk, missing) + end;
    }
    const first = this.#first;
    if (first === undefined) return end;
    return first.toString('latin1', Math.max(firstFrom, first.length - bytes + end.length)) + end;
  }

  /** Whether the last chunk ends so. */
  endsWith(bytes: Buffer): boolean {
    const last = this.#newestFirst()[0] ?? this.#first;
    return last !== undefined && last.length >= bytes.length && last.subarray(-bytes.length).equals(bytes);
  }

  /** All chunks that are kept, except the first one. */
  #newestFirst(): readonly Buffer[] {
    const last = this.#last;
    if (last === undefined) return noChunks;
    return [...last.slice(this.#next), ...last.slice(0, this.#next)].reverse();
  }

  #decode(maxCharacters: number): string {
    if (this.#first === undefined) return '';
    const first = decodeEnd(this.#first, maxCharacters);
    if (this.#last === undefined) return first;
    return first + decodeEnd(Buffer.concat(this.#newestFirst().toReversed()), maxCharacters);
  }
}

function decodeEnd(bytes: Buffer, maxCharacters: number): string {
  return bytes.toString('latin1', Math.max(bytes.length - maxCharacters, 0));
}
