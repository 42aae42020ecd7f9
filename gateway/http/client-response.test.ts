import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { RawClient } from '../../test/harness/raw-client.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { ClientResponse } from './client-response.ts';

/** What a client gets to see, to the byte, and without the date. */
async function sent(respond: (response: ClientResponse) => void, version = '1.1'): Promise<string> {
  const server = createServer((_, response) => {
    response.sendDate = false;
    respond(new ClientResponse(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await using client = await RawClient.connect((server.address() as AddressInfo).port);
    client.send(`GET / HTTP/${version}\r\nHost: here\r\nConnection: close\r\n\r\n`);
    await client.closed();
    return client.latin1;
  } finally {
    server.close();
  }
}

const piece = (text: string) => Buffer.from(text);
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

it('frames each piece as a chunk, counted in bytes', async () => {
  const text = await sent((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(piece('data: a\n\n'));
    response.write(Buffer.alloc(0));
    response.write(Buffer.from('ü'.repeat(8)));
    response.end(piece('data: z\n\n'));
  });
  expect(text).toContain('Transfer-Encoding: chunked\r\n');
  const umlauts = Buffer.from('ü'.repeat(8)).toString('latin1');
  expect(bodyOf(text)).toBe(`9\r\ndata: a\n\n\r\n10\r\n${umlauts}\r\n9\r\ndata: z\n\n\r\n0\r\n\r\n`);
});

it('ends a stream without a last piece', async () => {
  const text = await sent((response) => {
    response.writeHead(200, {});
    response.flushHead();
    response.write(piece('data: a\n\n'));
    response.end();
  });
  expect(bodyOf(text)).toBe('9\r\ndata: a\n\n\r\n0\r\n\r\n');
});

it('frames nothing for HTTP/1.0, which ends with the connection', async () => {
  const text = await sent((response) => {
    response.writeHead(200, {});
    response.write(piece('data: a\n\n'));
    response.end(piece('data: z\n\n'));
  }, '1.0');
  expect(text).not.toContain('chunked');
  expect(bodyOf(text)).toBe('data: a\n\ndata: z\n\n');
});

it('frames nothing if there is a content-length', async () => {
  const text = await sent((response) => {
    response.writeHead(200, { 'content-length': 4 });
    response.write(piece('tw'));
    response.end(piece('o.'));
  });
  expect(bodyOf(text)).toBe('two.');
});

it('writes a collected header once, with its last value', async () => {
  const text = await sent((response) => {
    response.setHeader('x-request-id', 'one');
    response.setHeader('x-remaining', '9');
    response.setHeader('x-remaining', '8');
    response.writeHead(201, { 'x-remaining': '7', 'content-length': 0 });
    response.end();
  });
  const head = text.split('\r\n');
  expect(head).toEqual(
    expect.arrayContaining(['HTTP/1.1 201 Created', 'x-request-id: one', 'x-remaining: 7']),
  );
  expect(head.filter((line) => line.startsWith('x-remaining'))).toHaveLength(1);
});

it('passes collected headers to a head that Node writes', async () => {
  const text = await sent((response) => {
    response.setHeader('x-request-id', 'one');
    response.copyHeadersToRaw();
    response.raw.end('plain');
  });
  expect(text).toContain('x-request-id: one\r\n');
});

it('rejects a header value with a line break', async () => {
  const outcomes: string[] = [];
  await sent((response) => {
    response.setHeader('x-request-id', 'one\r\nx-other: two');
    try {
      response.writeHead(200, {});
    } catch (error) {
      outcomes.push((error as NodeJS.ErrnoException).code ?? '');
    }
    response.destroy();
  });
  expect(outcomes).toEqual(['ERR_INVALID_CHAR']);
});

it('reports a client that does not keep up, and when it has caught up', async () => {
  const seen: (boolean | string)[] = [];
  await sent((response) => {
    response.writeHead(200, {});
    seen.push(response.acceptsData, response.write(Buffer.alloc(1024 ** 2)), response.acceptsData);
    response.raw.once('drain', () => {
      seen.push('drained', response.acceptsData);
      response.end();
    });
  });
  await waitFor('the drain', () => seen.includes('drained'));
  expect(seen).toEqual([true, false, false, 'drained', true]);
});

it.each([256, 5000])('sends a body of %s bytes as it is, whatever bytes they are', async (size) => {
  const body = Buffer.from(Array.from({ length: size }, (_, i) => i % 256));
  const text = await sent((response) => {
    response.writeHead(200, { 'content-length': size });
    response.end(body);
  });
  expect(Buffer.from(bodyOf(text), 'latin1')).toEqual(body);
});
