import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnexpectedResponse } from './failure.ts';
import { ResponseParser } from './response-parser.ts';

/** All that a reader says of an answer that comes in these pieces. */
function readAll(...pieces: readonly (string | Buffer)[]) {
  const told = { status: 0, headers: {} as Record<string, string>, body: '' };
  const reader = new ResponseParser({
    onHead(status, headers) {
      Object.assign(told, { status, headers: { ...headers } });
    },
    onBody(bytes) {
      told.body += bytes.toString('latin1');
    },
  });
  for (const piece of pieces) {
    // As a socket does, which reads everything into the same memory.
    const bytes = Buffer.from(piece);
    reader.parse(bytes);
    bytes.fill('#');
  }
  return { ...told, isDone: reader.isDone, keepsAlive: reader.isReusable, ends: reader.end() };
}

/** Cut at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % text.length))].toSorted((a, b) => a - b);
  return [0, ...at].map((from, n) => text.slice(from, at[n] ?? text.length)).filter((piece) => piece !== '');
}

const plain = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';

describe('an answer', () => {
  it('of a known length', () => {
    expect(readAll(plain)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', 'content-length': '7' },
      body: '{"a":1}',
      isDone: true,
      keepsAlive: true,
      ends: true,
    });
  });

  it('without a body', () => {
    expect(readAll('HTTP/1.1 204 \r\n\r\n')).toMatchObject({ status: 204, isDone: true, keepsAlive: true });
    expect(readAll('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).toMatchObject({ isDone: true, body: '' });
  });

  it('in chunks, with trailers', () => {
    const said = readAll(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n',
    );
    expect(said).toMatchObject({ body: 'abc0123456789', isDone: true, keepsAlive: true });
  });

  it('up to the close', () => {
    const said = readAll('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall ', 'of it');
    expect(said).toMatchObject({ body: 'all of it', isDone: false, ends: true });
  });

  it('that says its connection ends', () => {
    const said = readAll('HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok');
    expect(said).toMatchObject({ body: 'ok', isDone: true, keepsAlive: false });
  });

  it('that is cut off is not whole', () => {
    expect(readAll(plain.slice(0, -1))).toMatchObject({ isDone: false, ends: false });
    expect(readAll('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab').ends).toBe(false);
    expect(readAll('HTTP/1.1 200').ends).toBe(false);
  });

  it('is the same however it is cut', () => {
    const chunk = fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' });
    const answers = fc.record({
      chunks: fc.array(chunk, { maxLength: 8 }),
      inChunks: fc.boolean(),
      places: fc.array(fc.nat(), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(answers, ({ chunks, inChunks, places }) => {
        const body = chunks.join('');
        const framed = inChunks
          ? `Transfer-Encoding: chunked\r\n\r\n${chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}0\r\n\r\n`
          : `Content-Length: ${body.length}\r\n\r\n${body}`;
        const said = readAll(...cut(`HTTP/1.1 200 OK\r\n${framed}`, places));
        expect(said).toMatchObject({ status: 200, body, isDone: true, keepsAlive: true });
      }),
    );
  });
});

describe('what is not an answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['an interim answer, which nobody asks for', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a length below 0', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a coding of another kind', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    ['a chunk of a size below 0', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n'],
    ['a chunk longer than it said', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n'],
    ['a line that ends in a mere LF', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n'],
    ['bytes behind its end', `${plain}HTTP/1.1 200 OK\r\n`],
    ['bytes behind the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`],
    ['a line without end', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'0'.repeat(2000)}`],
  ])('%s', (_, text) => {
    expect(() => readAll(text)).toThrow(UnexpectedResponse);
  });

  it('throws nothing else, whatever comes', () => {
    const bytes = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 });
    const begun = fc.constantFrom(
      '',
      'HTTP/1.1 200 OK\r\n',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    fc.assert(
      fc.property(begun, bytes, (begin, pieces) => {
        try {
          readAll(begin, ...pieces.map((piece) => Buffer.from(piece)));
        } catch (error) {
          expect(error).toBeInstanceOf(UnexpectedResponse);
        }
      }),
    );
  });
});
