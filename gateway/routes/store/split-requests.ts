import { invalidJson, invalidValue } from '../../errors/catalogue.ts';

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openObject, closeObject, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d];

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isOpening = (byte: number) => byte === openObject || byte === openList;
const isClosing = (byte: number) => byte === closeObject || byte === closeList;

/** Far more than the API has. Each takes its time, and a body of hundreds of megabytes may have millions. */
const MAX_MEMBERS = 100;

/** What may come next, outside of a value. */
type Expected =
  | 'object'
  | 'first name'
  | 'name'
  | 'colon'
  | 'value'
  | 'comma'
  | 'first request'
  | 'request'
  | 'request comma'
  | 'nothing';

/** A value of which the end has not been read. Only the place where it began shows what it is for. */
interface OpenValue {
  readonly of: 'name' | 'value' | 'request';
  readonly kind: 'string' | 'nested' | 'scalar';
  pieces: Buffer[];
  length: number;
  depth: number;
  inString: boolean;
  isEscaped: boolean;
}

/**
 * Finds the members of the list `requests` in a JSON object that arrives in pieces, and never holds more than one of them:
 * a message batch may have hundreds of megabytes. The values themselves are left unparsed.
 */
export class RequestSplitter {
  readonly #maxBytes: number;
  #expected: Expected = 'object';
  #open: OpenValue | undefined;
  #name = '';
  #hasRequests = false;
  #count = 0;
  #names = 0;

  /** `maxBytes`: of one request. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The texts of the requests that end in this piece. Throws an ApiError for what is not JSON. */
  *push(chunk: Buffer): Generator<Buffer, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#open !== undefined) {
        const value = this.#open;
        const end = this.#findEnd(value, chunk, at);
        this.#keep(value, chunk.subarray(at, end ?? chunk.length));
        if (end === undefined) return;
        at = end;
        this.#open = undefined;
        const request = this.#finish(value);
        if (request !== undefined) yield request;
        continue;
      }
      const byte = chunk[at] ?? 0;
      // What begins a value is part of it, and is read again.
      if (isSpace(byte) || !this.#step(byte)) at += 1;
    }
  }

  /** To be called when the body is complete. */
  end(): void {
    if (this.#expected !== 'nothing') throw invalidJson('it is incomplete');
    if (!this.#hasRequests) throw invalidValue('requests', 'a list of requests');
  }

  /** Handles a byte outside of values; true if a value begins with it. */
  #step(byte: number): boolean {
    switch (this.#expected) {
      case 'object':
        return this.#expect(byte === openObject, 'first name');
      case 'first name':
        if (byte === closeObject) return this.#expect(true, 'nothing');
        return this.#begin('name', byte);
      case 'name':
        return this.#begin('name', byte);
      case 'colon':
        return this.#expect(byte === colon, 'value');
      case 'value':
        if (this.#name !== 'requests') return this.#begin('value', byte);
        if (byte !== openList) throw invalidValue('requests', 'a list of requests');
        if (this.#hasRequests) throw invalidJson("it has two members 'requests'");
        this.#hasRequests = true;
        return this.#expect(true, 'first request');
      case 'comma':
        return this.#expect(byte === comma || byte === closeObject, byte === comma ? 'name' : 'nothing');
      case 'first request':
        if (byte === closeList) return this.#expect(true, 'comma');
        return this.#begin('request', byte);
      case 'request':
        return this.#begin('request', byte);
      case 'request comma':
        return this.#expect(byte === comma || byte === closeList, byte === comma ? 'request' : 'comma');
      case 'nothing':
        throw invalidJson('there is text after its end');
    }
  }

  #expect(isValid: boolean, next: Expected): false {
    if (!isValid) throw invalidJson('expected an object with the list "requests"');
    this.#expected = next;
    return false;
  }

  #begin(of: OpenValue['of'], byte: number): true {
    if (of === 'name' && byte !== quote) throw invalidJson('expected the name of a member');
    const kind = byte === quote ? 'string' : isOpening(byte) ? 'nested' : 'scalar';
    if (kind === 'scalar' && (byte === comma || byte === colon || isClosing(byte)))
      throw invalidJson('a value is missing');
    this.#open = { of, kind, pieces: [], length: 0, depth: 0, inString: false, isEscaped: false };
    return true;
  }

  /** Where a value ends; undefined if that is not in this piece. */
  #findEnd(value: OpenValue, chunk: Buffer, from: number): number | undefined {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (value.inString) {
        if (value.isEscaped) value.isEscaped = false;
        else if (byte === backslash) value.isEscaped = true;
        else if (byte === quote) {
          value.inString = false;
          if (value.kind === 'string') return at + 1;
        }
      } else if (value.kind === 'scalar') {
        if (isSpace(byte) || byte === comma || isClosing(byte)) return at;
      } else if (byte === quote) {
        value.inString = true;
      } else if (isOpening(byte)) {
        value.depth += 1;
      } else if (isClosing(byte)) {
        value.depth -= 1;
        if (value.depth === 0) return at + 1;
      }
    }
    return undefined;
  }

  #keep(value: OpenValue, piece: Buffer): void {
    value.length += piece.length;
    if (value.length > this.#maxBytes)
      throw invalidValue(`requests[${this.#count}]`, `at most ${this.#maxBytes} bytes`, value.length);
    value.pieces.push(piece);
  }

  /** The text of a request; undefined for any other value. */
  #finish({ of, pieces, length }: OpenValue): Buffer | undefined {
    const text = Buffer.concat(pieces, length);
    if (of === 'request') {
      this.#expected = 'request comma';
      this.#count += 1;
      return text;
    }
    if (of === 'name' && ++this.#names > MAX_MEMBERS)
      throw invalidJson(`it has more than ${MAX_MEMBERS} members`);
    const parsed = parse(text);
    this.#expected = of === 'name' ? 'colon' : 'comma';
    if (of === 'name') this.#name = String(parsed);
    return undefined;
  }
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    // Without the parser's message, which quotes the text.
    throw invalidJson('a member is not valid');
  }
}
