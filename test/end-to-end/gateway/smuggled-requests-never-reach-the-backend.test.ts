import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { echo, tokensOf } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const open = JSON.stringify(chatOf('open'));
const hidden = postOf(chatOf('hidden'), { path: '/slots/0?action=erase' });
const key = `Authorization: Bearer ${testerSecret}`;
const post = (lines: readonly string[], rest: string, lineEnd = '\r\n') =>
  [
    `POST /v1/chat/completions HTTP/1.1`,
    'Host: x',
    'Content-Type: application/json',
    key,
    ...lines,
    '',
    '',
  ].join(lineEnd) + rest;
const chunk = (content: string, extension = '') =>
  `${content.length.toString(16)}${extension}\r\n${content}\r\n`;
const chunked = `${chunk(open)}0\r\n\r\n`;
const measured = `Content-Length: ${open.length}`;

/** Bytes that two HTTP parsers may read as different requests. The hidden one must never reach the backend. */
const attempts: Record<string, string> = {
  'a length beside chunks (CL.TE)': post(
    [`Content-Length: ${chunked.length + hidden.length}`, 'Transfer-Encoding: chunked'],
    chunked + hidden,
  ),
  'chunks beside a length (TE.CL)': post(
    ['Transfer-Encoding: chunked', 'Content-Length: 4'],
    `${chunk(hidden)}0\r\n\r\n`,
  ),
  'two lengths': post([measured, `Content-Length: ${open.length + hidden.length}`], open + hidden),
  'a length in a folded line': post([`Content-Length:\r\n ${open.length + hidden.length}`], open + hidden),
  'an encoding in a folded line': post([measured, 'Transfer-Encoding:\r\n chunked'], open + hidden),
  xchunked: post([measured, 'Transfer-Encoding: xchunked'], open + hidden),
  'an encoding in quotes': post([measured, 'Transfer-Encoding: "chunked"'], open + hidden),
  'an encoding behind a tab': post([measured, 'Transfer-Encoding:\tchunked'], open + hidden),
  'an encoding with a space before its colon': post(
    [measured, 'Transfer-Encoding : chunked'],
    chunked + hidden,
  ),
  'an encoding under another name': post([measured, 'Transfer_Encoding: chunked'], open + hidden),
  'two encodings': post(['Transfer-Encoding: chunked', 'Transfer-Encoding: x'], chunked + hidden),
  'bare line feeds': post(['Transfer-Encoding: chunked'], chunked + hidden, '\n'),
  'a bare line feed behind a chunk': post(
    ['Transfer-Encoding: chunked'],
    `${chunk(open).slice(0, -2)}\n0\n\n${hidden}`,
  ),
  'a bare line feed in an extension': post(
    ['Transfer-Encoding: chunked'],
    `${chunk(open, ';\n')}0\r\n\r\n${hidden}`,
  ),
  'a bare carriage return in a header': post(
    [measured, `X: a\rTransfer-Encoding: chunked`],
    chunked + hidden,
  ),
  'a chunk with an extension': post(
    ['Transfer-Encoding: chunked'],
    `${chunk(open, `;a="${hidden.slice(0, 30)}`)}0\r\n\r\n`,
  ),
  'a chunk size with 0x': post(['Transfer-Encoding: chunked'], `0x${chunk(open)}0\r\n\r\n${hidden}`),
  'a chunk size that overflows': post(
    ['Transfer-Encoding: chunked'],
    `1${'0'.repeat(15)}${chunk(open)}0\r\n\r\n${hidden}`,
  ),
  trailers: post(
    ['Transfer-Encoding: chunked'],
    `${chunk(open)}0\r\nContent-Length: 900\r\nAuthorization: x\r\n\r\n`,
  ),
  'a method that has no body': post([measured], open)
    .replace('POST /v1/chat/completions', 'GET /v1/models')
    .replace(open, hidden.slice(0, open.length)),
  'a path with a request in it': `GET /v1/models/%0d%0a%0d%0a${encodeURIComponent(hidden)} HTTP/1.1\r\nHost: x\r\n${key}\r\n\r\n`,
  'a header with a request in it': post(
    [measured, `x-request-id: a%0d%0a${encodeURIComponent(hidden)}`],
    open,
  ),
  'a body that is rejected, and more behind it': post(
    ['Content-Length: 9', 'Content-Encoding: gzip'],
    `${'x'.repeat(9)}${hidden}`,
  ),
  'a model with a request in it': postOf(chatOf('open', { model: `m\r\n\r\n${hidden}` })),
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});
let before = 0;
beforeEach(() => {
  before = fakeBackend.received.length;
});

it.each(Object.entries(attempts))('a request smuggled by %s does not reach the backend', async (_, bytes) => {
  await using client = await RawClient.connect(corral.port);
  client.send(bytes);
  const response = await client.response();
  if (response) expect([200, 400, 404, 408, 415]).toContain(response.status);
  await using other = await RawClient.connect(corral.port);
  expect((await other.send(postOf(chatOf('other'))).response())?.body).toContain('"other"');
  client.socket.destroy();
  await gatewayIsIdle(corral, fakeBackend);
  for (const { path, headers, body } of fakeBackend.received.slice(before)) {
    expect(path).toBe('/v1/chat/completions');
    expect(['open', 'other']).toContain(tokensOf({ path, headers, body, method: 'POST' }));
    expect(headers.authorization).toBe('Bearer fake-key');
    expect(Number(headers['content-length'])).toBe(Buffer.byteLength(body));
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['x-request-id']).toMatch(/^[\w.:+/=-]{1,128}$/);
  }
});

it.each(['gzip', 'br', 'deflate, gzip', 'aws-chunked'])(
  'a body in %s is rejected unread',
  async (encoding) => {
    await using client = await RawClient.connect(corral.port);
    const response = await client
      .send(postOf(chatOf('x'), { headers: [`Content-Encoding: ${encoding}`] }))
      .response();
    expect(response?.status).toBe(415);
    expect(JSON.parse(response?.body ?? '').error).toMatchObject({ code: 'unsupported_media_type' });
    expect(fakeBackend.received.length).toBe(before);
  },
);
