import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const key = `Authorization: Bearer ${testerSecret}\r\n`;

let fakeBackend: FakeBackend;
let corral: TestGateway;
/** Its time limit for a request is short; that of `corral` is longer than the test. */
let shortTimeouts: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  const open = (timeout: string) => {
    const env = { MAX_REQUEST_BODY_SIZE: '1MiB', CLIENT_HEADER_TIMEOUT: timeout };
    return startTestGateway({ backend: fakeBackend.backend, env });
  };
  [corral, shortTimeouts] = [await open('1h'), await open('800ms')];
});
afterAll(async () => {
  await corral.stop();
  await shortTimeouts.stop();
  await fakeBackend.stop();
});
afterEach(() => gatewayIsIdle(corral, fakeBackend));

function expectError(response: Awaited<ReturnType<RawClient['response']>>, status: number, code: string) {
  expect(response?.status).toBe(status);
  expect(JSON.parse(response?.body ?? '').error).toMatchObject({ type: 'invalid_request_error', code });
}

describe('a body', () => {
  const content = (bytes: number) => {
    const empty = JSON.stringify(chatOf(''));
    return JSON.stringify(chatOf('x'.repeat(bytes - empty.length)));
  };

  it('of exactly the limit is served', async () => {
    await using client = await RawClient.connect(corral.port);
    expect((await client.send(postOf(content(MiB))).response())?.status).toBe(200);
  });

  it('of one byte more is rejected, and a client that sends all of it gets the error', async () => {
    for (let n = 0; n < 5; n++) {
      await using client = await RawClient.connect(corral.port);
      expectError(await client.send(postOf(content(MiB + 1))).response(), 413, 'payload_too_large');
    }
  });

  it('is rejected by its announced length, before it arrives', async () => {
    await using client = await RawClient.connect(corral.port);
    const head = postOf('').replace('Content-Length: 0', 'Content-Length: 99999999999');
    expectError(await client.send(head).response(), 413, 'payload_too_large');
    await client.closed();
  });

  it('announced with Expect: 100-continue is rejected as well', async () => {
    await using client = await RawClient.connect(corral.port);
    const head = postOf('', { headers: ['Expect: 100-continue'] }).replace(
      'Content-Length: 0',
      'Content-Length: 99999999',
    );
    const response = await client.send(head).response();
    expectError(response?.status === 100 ? await client.response() : response, 413, 'payload_too_large');
  });

  it.each(['known', 'unknown'])('of endless chunks is rejected and disconnected (key: %s)', async (which) => {
    await using client = await RawClient.connect(corral.port);
    const secret = which === 'known' ? testerSecret : 'sk-unknown';
    const head = postOf('', { secret, headers: ['Transfer-Encoding: chunked'] });
    client.send(head.replace('Content-Length: 0\r\n', ''));
    const chunk = `${(64 * KiB).toString(16)}\r\n${' '.repeat(64 * KiB)}\r\n`;
    let sent = 0;
    const writeMore = () => {
      while (!client.isClosed && client.socket.writable && client.socket.write(chunk)) sent += chunk.length;
    };
    client.socket.on('drain', writeMore);
    writeMore();
    if (which === 'known') expectError(await client.response(), 413, 'payload_too_large');
    else expectError(await client.response(), 401, 'invalid_api_key');
    await client.closed();
    expect(sent).toBeGreaterThan(0);
  });

  it('sent by fetch is rejected with an error that fetch can read', async () => {
    const response = await fetch(`${corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
      body: 'x'.repeat(20 * MiB),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'payload_too_large' } });
  });

  it('that stops arriving is rejected at the time limit', async () => {
    await using client = await RawClient.connect(shortTimeouts.port);
    const head = postOf('{"mess').replace('Content-Length: 6', 'Content-Length: 600');
    expectError(await client.send(head).response(), 408, 'request_timeout');
    await client.closed();
  });
});

describe('a request header', () => {
  const models = (path: string, headers: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${key}${headers}\r\n`;

  it.each([
    ['a path beyond the limit', models(`/v1/models?${'x'.repeat(8200)}`, ''), 414, 'uri_too_long'],
    [
      'a header beyond the limit',
      models('/v1/models', `X-A: ${'x'.repeat(8200)}\r\n`),
      431,
      'header_fields_too_large',
    ],
    ['one huge header', models('/v1/models', `X-A: ${'x'.repeat(MiB)}\r\n`), 431, 'header_fields_too_large'],
    ['too many headers', models('/v1/models', 'X-A: x\r\n'.repeat(70)), 431, 'header_fields_too_large'],
    [
      'far too many headers',
      models('/v1/models', 'X-A: x\r\n'.repeat(100_000)),
      431,
      'header_fields_too_large',
    ],
  ])('%s', async (_, bytes, status, code) => {
    await using client = await RawClient.connect(corral.port);
    expectError(await client.send(bytes).response(), status, code);
  });

  it('just within the limits is served', async () => {
    await using client = await RawClient.connect(corral.port);
    const long = `X-A: ${'x'.repeat(8192 - 5)}\r\n`;
    const path = `/v1/models?${'x'.repeat(8192 - 'GET /v1/models? HTTP/1.1'.length)}`;
    const response = await client.send(models(path, long + 'X-B: x\r\n'.repeat(61))).response();
    expect(response?.status).toBe(200);
  });

  it.each([
    'GET /v1/models HTTP/1.1\r\nHost: x\r\n',
    'GET /v1/mod',
    'GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A',
  ])('that stops arriving is rejected at the time limit: %j', async (bytes) => {
    await using client = await RawClient.connect(shortTimeouts.port);
    expectError(await client.send(bytes).response(), 408, 'request_timeout');
    await client.closed();
  });
});

describe('the content type', () => {
  const typed = (type: string) => {
    const lines = type === '' ? [] : [`Content-Type: ${type}`];
    return postOf(chatOf('hello')).replace('Content-Type: application/json', lines[0] ?? 'X-A: none');
  };

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json-seq',
    'json',
  ])('%s is rejected', async (type) => {
    await using client = await RawClient.connect(corral.port);
    expectError(await client.send(typed(type)).response(), 415, 'unsupported_media_type');
  });

  it.each([
    '',
    'application/json',
    'application/json;charset=utf-8',
    'Application/JSON ; charset="UTF-8"',
    'application/vnd.api+json',
  ])('%j is served', async (type) => {
    await using client = await RawClient.connect(corral.port);
    expect((await client.send(typed(type)).response())?.status).toBe(200);
  });
});
