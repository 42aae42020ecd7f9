import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const key = `Authorization: Bearer ${testerSecret}\r\n`;
const body = JSON.stringify(chatOf('hello'));
/** A chat request with further header lines in place of its Content-Length. */
const chat = (lines: string, content = body) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${key}${lines}\r\n\r\n${content}`;
const length = `Content-Length: ${body.length}`;
const chunked = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;

/** What is sent, and the correct statuses. `closed` is a closed connection without a response. */
const cases: Record<string, [bytes: string | Buffer, ...allowed: (number | 'closed')[]]> = {
  'both lengths': [chat(`${length}\r\nTransfer-Encoding: chunked`, chunked(body)), 400],
  'both lengths, the other way round': [chat(`Transfer-Encoding: chunked\r\n${length}`, chunked(body)), 400],
  'two Content-Lengths': [chat(`${length}\r\nContent-Length: 5`), 400],
  'one Content-Length twice': [chat(`${length}\r\n${length}`), 400],
  'a list of Content-Lengths': [chat(`Content-Length: ${body.length}, ${body.length}`), 400],
  'a negative Content-Length': [chat('Content-Length: -1'), 400],
  'a signed Content-Length': [chat(`Content-Length: +${body.length}`), 400],
  'a hexadecimal Content-Length': [chat('Content-Length: 0x10'), 400],
  'an overflowing Content-Length': [chat('Content-Length: 99999999999999999999999'), 400],
  'an empty Content-Length': [chat('Content-Length: '), 400, 411],
  'no length': [chat('Accept: */*', ''), 411],
  'identity, chunked': [chat('Transfer-Encoding: identity, chunked', chunked(body)), 400, 200],
  'chunked, identity': [chat('Transfer-Encoding: chunked, identity', chunked(body)), 400],
  'gzip alone': [chat('Transfer-Encoding: gzip', body), 400],
  'chunked twice': [chat('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', chunked(body)), 400],
  'a space before the colon': [chat(`Content-Length : ${body.length}`), 400],
  'a vertical tab before chunked': [chat('Transfer-Encoding: \x0bchunked', chunked(body)), 400],
  'a chunk size that is no number': [chat('Transfer-Encoding: chunked', `zz\r\n${body}\r\n0\r\n\r\n`), 400],
  'a chunk size too large for a number': [chat('Transfer-Encoding: chunked', 'fffffffffffffffff1\r\n'), 400],
  'a negative chunk size': [chat('Transfer-Encoding: chunked', '-1\r\n'), 400],
  'a chunk longer than it says': [chat('Transfer-Encoding: chunked', `2\r\n${body}\r\n0\r\n\r\n`), 400],
  'no Host': [`GET /v1/models HTTP/1.1\r\n${key}\r\n`, 400],
  'two Hosts': [`GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n${key}\r\n`, 400],
  'a Host that is no name': [`GET /v1/models HTTP/1.1\r\nHost: a b/c?\r\n${key}\r\n`, 400],
  'an empty Host': [`GET /v1/models HTTP/1.1\r\nHost:\r\n${key}\r\n`, 200, 400],
  'bare line feeds': [`GET /v1/models HTTP/1.1\nHost: x\nx-api-key: ${testerSecret}\n\n`, 400],
  'a folded header': [`GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n${key}\r\n`, 400, 200],
  'a NUL in a header': [`GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n${key}\r\n`, 400],
  'a header without a colon': [`GET /v1/models HTTP/1.1\r\nHost: x\r\nrubbish\r\n${key}\r\n`, 400],
  'a header without a name': [`GET /v1/models HTTP/1.1\r\nHost: x\r\n: b\r\n${key}\r\n`, 400],
  'a space in the path': [`GET /v1/ models HTTP/1.1\r\nHost: x\r\n${key}\r\n`, 400],
  'a NUL in the path': [`GET /v1/\0models HTTP/1.1\r\nHost: x\r\n${key}\r\n`, 400],
  'a method of its own': [`FETCH /v1/models HTTP/1.1\r\nHost: x\r\n${key}\r\n`, 400, 405],
  'a method in lower case': [`get /v1/models HTTP/1.1\r\nHost: x\r\n${key}\r\n`, 400],
  'HTTP/0.9': [`GET /v1/models\r\n\r\n`, 400, 'closed'],
  'HTTP/1.0 with Host': [`GET /v1/models HTTP/1.0\r\nHost: x\r\n${key}\r\n`, 200],
  'HTTP/1.0 without Host': [`GET /v1/models HTTP/1.0\r\n${key}\r\n`, 200],
  'HTTP/3.0': [`GET /v1/models HTTP/3.0\r\nHost: x\r\n${key}\r\n`, 400, 505],
  "HTTP/2's preface": ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 400, 'closed'],
  "TLS's first words": [Buffer.from('16030100a5010000a10303', 'hex'), 400, 'closed'],
  'a terminal': ['hello?\r\n\r\n', 400],
  'an Expect that is met': [chat(`${length}\r\nExpect: 100-continue`), 200],
  'an Expect of another kind': [chat(`${length}\r\nExpect: the-unexpected`), 200, 417],
  'an Upgrade': [chat(`${length}\r\nConnection: upgrade\r\nUpgrade: websocket`), 200],
  'an Upgrade without a body': [
    `GET /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${key}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    405,
  ],
  'an upgrade to HTTP/2': [
    `GET /v1/models HTTP/1.1\r\nHost: x\r\n${key}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    200,
  ],
  CONNECT: [`CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n${key}\r\n`, 405, 'closed'],
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend, env: { DRAIN_TIMEOUT: '1h' } });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});
afterEach(() => gatewayIsIdle(corral, fakeBackend));

describe('each request gets its status or a closed connection', () => {
  it.each(Object.entries(cases))('%s', async (_, [bytes, ...allowed]) => {
    await using client = await RawClient.connect(corral.port);
    let response = await client.send(bytes).response();
    if (response?.status === 100) response = await client.response();
    expect(allowed).toContain(response?.status ?? 'closed');
    if (response === undefined || response.status < 400) return;
    expect(JSON.parse(response.body)).toEqual({
      error: {
        message: expect.stringMatching(/\S/),
        type: 'invalid_request_error',
        param: null,
        code: expect.stringMatching(/^[a-z_]+$/),
      },
    });
    expect(response.headers['x-request-id']).toMatch(/\S/);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    if (response.status === 400) await client.closed();
  });
});

describe('a broken body', () => {
  it('is rejected although its head was valid', async () => {
    await using client = await RawClient.connect(corral.port);
    client.send(chat('Transfer-Encoding: chunked', '5\r\n{"mes\r\n'));
    await waitFor('the head to be read', () => corral.gateway.scheduler.counts.waiting === 0);
    expect((await client.send('rubbish\r\n').response())?.status).toBe(400);
    await client.closed();
  });

  it("is rejected in Anthropic's format on its routes", async () => {
    await using client = await RawClient.connect(corral.port);
    const head = chat('Transfer-Encoding: chunked', '5\r\n{"mes\r\n').replace(
      '/v1/chat/completions',
      '/v1/messages',
    );
    client.send(head);
    await waitFor('the head to be read', () => corral.gateway.scheduler.counts.waiting === 0);
    const response = await client.send('rubbish\r\n').response();
    expect(response?.status).toBe(400);
    expect(response?.headers['request-id']).toMatch(/\S/);
    expect(JSON.parse(response?.body ?? '')).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringMatching(/\S/) },
      request_id: response?.headers['request-id'],
    });
  });

  it('gets no second response after an error', async () => {
    await using client = await RawClient.connect(corral.port);
    client.send(chat('Transfer-Encoding: chunked', '5\r\n{"mes\r\n').replace(testerSecret, 'sk-unknown'));
    expect((await client.response())?.status).toBe(401);
    client.send('rubbish\r\n\r\n');
    await client.closed();
    expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});

it('afterwards a valid request is served, and no connection is left that delays a shutdown', async () => {
  await using client = await RawClient.connect(corral.port);
  expect((await client.send(postOf(chatOf('hello'))).response())?.status).toBe(200);
  client.socket.destroy();
  await corral.gateway.stop();
  expect(corral.logged.filter(({ level }) => level === 50)).toEqual([]);
});
