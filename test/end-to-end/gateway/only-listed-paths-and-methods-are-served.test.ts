import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const body = JSON.stringify(chatOf('hello'));

let fakeBackend: FakeBackend;
let corral: TestGateway;
let before = 0;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});
beforeEach(() => {
  before = fakeBackend.received.length;
});
afterEach(() => gatewayIsIdle(corral, fakeBackend));

/** The paths of the requests that have reached the backend in this test. */
const arrived = () => fakeBackend.received.slice(before).map(({ path }) => path);

async function send(method: string, target: string) {
  await using client = await RawClient.connect(corral.port);
  client.send(
    `${method} ${target} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${testerSecret}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // A response to HEAD has the length of a body that is not sent.
  if (method === 'HEAD') await client.closed();
  const response = method === 'HEAD' ? headOf(client.text) : await client.response();
  return { status: response?.status, headers: response?.headers ?? {}, body: response?.body ?? '' };
}

function headOf(text: string) {
  const [head = '', content = ''] = text.split('\r\n\r\n');
  const lines = head.split('\r\n').slice(1);
  const headers = Object.fromEntries(
    lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()).split(': ')),
  );
  return { status: Number(head.split(' ')[1]), headers, body: content };
}

const unknown = {
  "the backend's own": [
    '/props',
    '/slots',
    '/slots/0?action=erase',
    '/lora-adapters',
    '/v1/stream',
    '/v1/streams/lookup',
    '/cors-proxy',
    '/tools',
    '/v1/health',
  ],
  'not there': [
    '/v1',
    '/v1/',
    '/v2/chat/completions',
    '/v1/chat',
    '/v1/chat/completions/x',
    '/messages',
    '/v1/completion',
    '/v1/tokenize',
    '/V1/CHAT/COMPLETIONS',
  ],
  tricks: [
    '/v1/chat/completions/../../../props',
    '/v1/../props',
    '/v1/%2e%2e/props',
    '/v1/chat/completions%2f..%2f..%2fprops',
    '/v1/..%2fslots',
    '//props',
    '//v1/chat/completions',
    '/v1//chat/completions',
    '/v1/chat%2fcompletions',
    '/v1/chat/completions%00',
    '/v1/chat/completions/',
    '/v1/chat/completions;a=b',
    '/./slots',
    '/v1/models/../../props',
    '/%70rops',
    'http://127.0.0.1/props',
    '/v1/chat/completions%',
    '/v1/chat/completions%zz',
  ],
};

describe.each(Object.entries(unknown))('%s', (_, targets) => {
  it.each(targets)('%s', async (target) => {
    for (const method of ['GET', 'POST']) {
      const response = await send(method, target);
      expect([400, 404]).toContain(response.status);
      const { error } = JSON.parse(response.body);
      expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
      expect(error.type).toBe('invalid_request_error');
      if (response.status === 404) expect(error.code).toBe('unknown_url');
    }
    expect(arrived()).toEqual([]);
  });
});

describe('the same path in another spelling', () => {
  it.each([
    '/v1/chat/completions?api-version=1&x=..%2f',
    'http://elsewhere.example/v1/chat/completions',
    '/v1/x/../chat/completions',
    '/v1/ch%61t/completions',
    '/v1/chat/completions#x',
    '/chat/completions',
  ])('%s reaches our upstream path and no other', async (target) => {
    const { status } = await send('POST', target);
    expect([200, 400, 404]).toContain(status);
    expect(arrived()).toEqual(status === 200 ? ['/v1/chat/completions'] : []);
  });

  it('* and an authority are not paths', async () => {
    for (const [method, target] of [
      ['GET', '*'],
      ['POST', '*'],
      ['POST', 'evil.example:443'],
    ] as const) {
      expect([400, 404, 405]).toContain((await send(method, target)).status);
    }
    expect(arrived()).toEqual([]);
  });
});

describe('other methods', () => {
  const others = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY'];
  it.each(others)('%s on a route of POST', async (method) => {
    const response = await send(method, '/v1/chat/completions');
    expect(response.status).toBe(405);
    expect(response.headers.allow).toBe('POST');
    expect(response.headers['x-request-id']).toMatch(/\S/);
    if (method === 'HEAD') expect(response.body).toBe('');
    else expect(JSON.parse(response.body).error.code).toBe('method_not_allowed');
    expect(arrived()).toEqual([]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'TRACE'])('%s on routes of GET', async (method) => {
    for (const path of ['/v1/models', '/models/x', '/ping', '/health', '/livez', '/readyz']) {
      const response = await send(method, path);
      expect([path, response.status]).toEqual([path, 405]);
      expect(response.headers.allow).toMatch(/^GET/);
    }
  });

  it("GET on /v1/messages, in Anthropic's format", async () => {
    const response = await send('GET', '/v1/messages');
    expect(response.status).toBe(405);
    expect(JSON.parse(response.body)).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining('GET') },
      request_id: response.headers['x-request-id'],
    });
  });

  it.each([
    ['*', 'GET, HEAD, POST, PUT, DELETE, OPTIONS'],
    ['/v1/chat/completions', 'POST, OPTIONS'],
    ['/responses', 'POST, OPTIONS'],
    ['/v1/messages/count_tokens?beta=true', 'POST, OPTIONS'],
    ['/tokenize', 'POST, OPTIONS'],
    ['/v1/models', 'GET, HEAD, OPTIONS'],
    ['/models/acme/demo', 'GET, HEAD, OPTIONS'],
    ['/health', 'GET, HEAD, OPTIONS'],
    ['/', 'GET, HEAD, OPTIONS'],
    ['/admin/requests/x', 'DELETE, OPTIONS'],
    ['/reload', 'POST, OPTIONS'],
  ])('OPTIONS on %s lists its methods, without a key', async (target, allow) => {
    await using client = await RawClient.connect(corral.port);
    client.send(`OPTIONS ${target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n`);
    await client.closed();
    const { status, headers, body: content } = headOf(client.text);
    expect([status, headers.allow, content]).toEqual([204, allow, '']);
    expect(headers['x-request-id']).toMatch(/\S/);
  });

  it('OPTIONS on an unknown path is 404', async () => {
    for (const path of ['/props', '/v1/chat', '/v1/v1/messages']) {
      expect((await send('OPTIONS', path)).status).toBe(404);
    }
  });

  it.each([
    ['/v1/responses', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
    ['/responses?x=1', 'connection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n'],
    ['/v1/responses', 'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\nSec-WebSocket-Version: 13\r\n'],
  ])('a WebSocket handshake on %s gets status 426, with or without a key', async (target, head) => {
    for (const key of ['', `Authorization: Bearer ${testerSecret}\r\n`]) {
      await using client = await RawClient.connect(corral.port);
      client.send(`GET ${target} HTTP/1.1\r\nHost: gateway\r\n${key}${head}\r\n`);
      const response = await client.response();
      expect(response?.status).toBe(426);
      expect(response?.headers).toMatchObject({ upgrade: 'HTTP/1.1', connection: 'Upgrade' });
      expect(JSON.parse(response?.body ?? '').error).toMatchObject({
        code: 'websocket_not_supported',
        message: expect.stringContaining('POST'),
      });
    }
  });

  it('no other GET on /v1/responses is treated as a WebSocket', async () => {
    await using client = await RawClient.connect(corral.port);
    client.send('GET /v1/responses HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    expect((await client.response())?.status).toBe(405);
  });

  it('/ is a page for people, and a list of URLs for programs', async () => {
    const found = {
      '*/*': 'application/json',
      'application/json': 'application/json',
      'text/html': 'text/html',
    };
    for (const [accept, type] of Object.entries(found)) {
      for (const method of ['GET', 'HEAD']) {
        const response = await fetch(`${corral.origin}/`, { method, headers: { accept } });
        expect([method, accept, response.status]).toEqual([method, accept, 200]);
        expect(response.headers.get('content-type')).toContain(type);
      }
    }
    expect(await (await fetch(`${corral.origin}/`)).json()).toMatchObject({
      api: '/v1',
      documentation: '/docs',
    });
    expect((await send('GET', '/')).status).toBe(200);
    expect((await send('POST', '/')).headers.allow).toBe('GET');
  });

  it('a wrong base URL gets a hint at the intended path', async () => {
    const { body: text } = await send('POST', '/v1/v1/messages');
    expect(JSON.parse(text).error).toMatchObject({
      code: 'unknown_url',
      message: expect.stringMatching(
        /^Unknown request URL: POST \/v1\/v1\/messages\. Did you mean \/v1\/messages\?/,
      ),
    });
    const { body: azure } = await send('POST', '/openai/deployments/x/chat/completions?api-version=1');
    expect(JSON.parse(azure).error.message).toContain('Did you mean /v1/chat/completions?');
    expect(arrived()).toEqual([]);
  });

  it('HEAD is GET without the body', async () => {
    const pages = ['/', '/docs', '/dashboard', '/openapi.json', '/metrics', '/favicon.ico'];
    for (const path of [
      '/v1/models',
      '/v1/models/fake-model',
      '/ping',
      '/health',
      '/livez',
      '/readyz',
      ...pages,
    ]) {
      const [head, get] = [await send('HEAD', path), await send('GET', path)];
      expect([path, head.status]).toEqual([path, get.status]);
      expect(head.body).toBe('');
    }
  });
});
