import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedResponse } from './failure.ts';
import { ResponseParser } from './response-parser.ts';

/** What a parser reports of a response that arrives in these chunks. */
function parseAll(...chunks: readonly (string | Buffer)[]) {
  const result = { status: 0, headers: {} as Record<string, string>, body: '' };
  const parser = new ResponseParser({
    onHead(status, headers) {
      Object.assign(result, { status, headers: { ...headers } });
    },
    onBody(bytes) {
      result.body += bytes.toString('latin1');
    },
  });
  for (const chunk of chunks) {
    // A socket reads everything into the same memory.
    const bytes = Buffer.from(chunk);
    parser.parse(bytes);
    bytes.fill('#');
  }
  return { ...result, isDone: parser.isDone, isReusable: parser.isReusable, ends: parser.end() };
}

/** The text, cut at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % text.length))].toSorted((a, b) => a - b);
  return [0, ...at].map((from, n) => text.slice(from, at[n] ?? text.length)).filter((piece) => piece !== '');
}

const plain = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';

describe('ResponseParser', () => {
  it('parses a response of a known length', () => {
    expect(parseAll(plain)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', 'content-length': '7' },
      body: '{"a":1}',
      isDone: true,
      isReusable: true,
      ends: true,
    });
  });

  it('parses a response without a body', () => {
    expect(parseAll('HTTP/1.1 204 \r\n\r\n')).toMatchObject({ status: 204, isDone: true, isReusable: true });
    expect(parseAll('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).toMatchObject({
      isDone: true,
      body: '',
    });
  });

  it('parses a head of any usual length, with all that came with it', () => {
    for (const length of [400, 500, 600, 20_000]) {
      const head = plain.replace('\r\n\r\n', `\r\nx-filler: ${'x'.repeat(length)}\r\n\r\n`);
      expect(parseAll(head)).toMatchObject({ status: 200, body: '{"a":1}', isDone: true });
    }
  });

  it('parses chunks and trailers', () => {
    const result = parseAll(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n',
    );
    expect(result).toMatchObject({ body: 'abc0123456789', isDone: true, isReusable: true });
  });

  it('skips the extensions of chunks', () => {
    const result = parseAll(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b c"\r\nabc\r\n2 \r\nde\r\n0;x\r\n\r\n',
    );
    expect(result).toMatchObject({ body: 'abcde', isDone: true, isReusable: true });
  });

  it.each([
    ['whole', [plain]],
    ['after the interim response', ['', plain]],
    ['in two pieces', [plain.slice(0, 20), plain.slice(20)]],
  ])('skips interim responses, also if the final one arrives %s', (_, pieces) => {
    const interim =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Type: a/b\r\n\r\n';
    const [first = '', ...others] = pieces;
    expect(parseAll(interim + first, ...others)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
      isReusable: true,
    });
  });

  it('passes on how long the connection may be idle', () => {
    const result = parseAll('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2, max=9\r\nContent-Length: 2\r\n\r\nok');
    expect(result.headers).toMatchObject({ 'keep-alive': 'timeout=2, max=9' });
  });

  it('parses a body that ends with the connection', () => {
    const result = parseAll('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall ', 'of it');
    expect(result).toMatchObject({ body: 'all of it', isDone: false, ends: true });
  });

  it('reports that the connection cannot be reused after Connection: close', () => {
    const result = parseAll('HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok');
    expect(result).toMatchObject({ body: 'ok', isDone: true, isReusable: false });
  });

  it.each([
    [
      'with others in Connection',
      'HTTP/1.1 200 OK\r\nConnection: TE, close\r\nContent-Length: 2\r\n\r\nok',
      false,
    ],
    ['after HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', false],
    ['after another word', 'HTTP/1.1 200 OK\r\nConnection: closed-not\r\nContent-Length: 2\r\n\r\nok', true],
  ])('reports whether the connection can be reused %s', (_, text, isReusable) => {
    expect(parseAll(text)).toMatchObject({ body: 'ok', isDone: true, isReusable });
  });

  it('reports a truncated response as incomplete', () => {
    expect(parseAll(plain.slice(0, -1))).toMatchObject({ isDone: false, ends: false });
    expect(parseAll('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab').ends).toBe(false);
    expect(parseAll('HTTP/1.1 200').ends).toBe(false);
  });

  it('parses the same response wherever it is cut', () => {
    const chunk = fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' });
    const responses = fc.record({
      chunks: fc.array(chunk, { maxLength: 8 }),
      inChunks: fc.boolean(),
      places: fc.array(fc.nat(), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(responses, ({ chunks, inChunks, places }) => {
        const body = chunks.join('');
        const framed = inChunks
          ? `Transfer-Encoding: chunked\r\n\r\n${chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}0\r\n\r\n`
          : `Content-Length: ${body.length}\r\n\r\n${body}`;
        const result = parseAll(...cut(`HTTP/1.1 200 OK\r\n${framed}`, places));
        expect(result).toMatchObject({ status: 200, body, isDone: true, isReusable: true });
      }),
    );
  });
});

describe('ResponseParser rejects', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['a change of the protocol, which nobody requests', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a chunk with an extension alone', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n;a=b\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a length below 0', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['another transfer encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    ['a chunk of a size below 0', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n'],
    ['a chunk longer than its size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n'],
    ['a line that ends in LF alone', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n'],
    ['bytes after its end', `${plain}HTTP/1.1 200 OK\r\n`],
    ['bytes after the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx'],
    ['a head that does not end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`],
    ['a line that does not end', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'0'.repeat(2000)}`],
  ])('%s', (_, text) => {
    expect(() => parseAll(text)).toThrow(MalformedResponse);
  });

  it('only throws MalformedResponse, whatever bytes arrive', () => {
    const bytes = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 });
    const beginnings = fc.constantFrom(
      '',
      'HTTP/1.1 200 OK\r\n',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    fc.assert(
      fc.property(beginnings, bytes, (beginning, chunks) => {
        try {
          parseAll(beginning, ...chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedResponse);
        }
      }),
    );
  });
});
