import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delta, echo, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

const app = 'https://app.example';
const gateways: Record<string, TestGateway> = {};
let fakeBackend: FakeBackend;
beforeAll(async () => {
  fakeBackend = await startFakeBackend((request, response) => {
    response.setHeader('access-control-allow-origin', 'https://backend.example');
    if (!isForStream(request)) return echo(request, response);
    startStream(response).end(`${delta('one')}data: [DONE]\n\n`);
  });
  for (const [name, origins] of Object.entries({
    listed: `${app}/,http://localhost:3000`,
    patterns: 'http://localhost:*,https://*.Sub.example,chrome-extension://*',
    any: '*',
    off: '',
  })) {
    gateways[name] = await startTestGateway({ backend: fakeBackend.backend, env: { CORS_ORIGINS: origins } });
  }
  gateways.open = await startTestGateway({
    backend: fakeBackend.backend,
    env: { CORS_ORIGINS: app, AUTH_ENABLED: 'false', TRUSTED_PROXIES: '127.0.0.1' },
  });
});
afterAll(async () => {
  for (const corral of Object.values(gateways)) await corral.stop();
  await fakeBackend.stop();
});

async function send(corral: string, bytes: string) {
  await using client = await RawClient.connect(gateways[corral]?.port ?? 0);
  const response = await client.send(bytes).response();
  const { vary, ...headers } = response?.headers ?? {};
  const cors = Object.entries(headers).filter(([name]) => name.startsWith('access-control-'));
  return {
    status: response?.status,
    vary,
    cors: Object.fromEntries(cors) as Record<string, string>,
    body: response?.body,
  };
}

const preflight = (origin: string) =>
  `OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n` +
  'Access-Control-Request-Headers: authorization,content-type,x-stainless-os\r\n\r\n';

describe('a preflight', () => {
  it.each([app, 'http://localhost:3000'])('from %s needs no key', async (origin) => {
    const { status, vary, cors, body } = await send('listed', preflight(origin));
    expect([status, body, vary]).toEqual([204, '', 'Origin']);
    expect(cors['access-control-allow-origin']).toBe(origin);
    expect(cors['access-control-allow-methods']).toContain('POST');
    expect(cors['access-control-allow-headers']).toBe('authorization,content-type,x-stainless-os');
    expect(Number(cors['access-control-max-age'])).toBeGreaterThan(0);
    expect(cors['access-control-allow-credentials']).toBeUndefined();
  });

  it('from an origin that matches a pattern needs no key, and allows private networks only on request', async () => {
    for (const origin of ['http://localhost:5173', 'https://a.sub.example', 'chrome-extension://abc']) {
      const { vary, cors } = await send('patterns', preflight(origin));
      expect([vary, cors['access-control-allow-origin']]).toEqual(['Origin', origin]);
      expect(cors['access-control-allow-private-network']).toBeUndefined();
    }
    const headersFor = (origin: string) =>
      preflight(origin).replace(/\r\n\r\n$/, '\r\nAccess-Control-Request-Private-Network: true\r\n\r\n');
    const { cors } = await send('patterns', headersFor('https://a.sub.example'));
    expect(cors['access-control-allow-private-network']).toBe('true');
    for (const [corral, origin] of [
      ['patterns', 'https://sub.example'],
      ['off', app],
    ] as const) {
      expect((await send(corral, headersFor(origin))).cors).toEqual({});
    }
    expect((await send('any', headersFor(app))).cors['access-control-allow-private-network']).toBe('true');
  });

  it.each(['https://evil.example', `${app}.evil.example`, 'null', 'http://app.example'])(
    'from %s allows nothing',
    async (origin) => {
      expect(await send('listed', preflight(origin))).toMatchObject({
        status: 204,
        vary: 'Origin',
        cors: {},
      });
    },
  );

  it('from any origin is allowed by *', async () => {
    const { vary, cors } = await send('any', preflight('https://evil.example'));
    expect([vary, cors['access-control-allow-origin']]).toEqual([undefined, '*']);
  });

  it.each([
    ['too many headers', `${'X-One: 1\r\n'.repeat(100)}`, 431],
    ['a line that is too long', `Access-Control-Request-Headers: ${'x'.repeat(9000)}\r\n`, 431],
    ['two Hosts', 'Host: y\r\n', 400],
  ])('with %s is rejected like any request, and its page may read why', async (_, lines, status) => {
    const bytes = preflight(app).replace(/\r\n\r\n$/, `\r\n${lines}\r\n`);
    const { status: received, cors } = await send('listed', bytes);
    expect([received, cors['access-control-allow-origin']]).toEqual([status, app]);
    expect(cors['access-control-allow-headers']).toBeUndefined();
  });

  it('with a URL that is too long is rejected like any request', async () => {
    const bytes = preflight(app).replace('/v1/chat/completions', `/v1/${'x'.repeat(9000)}`);
    expect((await send('listed', bytes)).status).toBe(414);
  });

  it('allows nothing if CORS is disabled', async () => {
    expect((await send('off', preflight(app))).cors).toEqual({});
  });
});

describe('a response', () => {
  const kinds = {
    'to a chat': [postOf(chatOf('hello'), { headers: [`Origin: ${app}`] }), 200],
    'that streams': [postOf(chatOf('hello', { stream: true }), { headers: [`Origin: ${app}`] }), 200],
    'that rejects a key': [postOf(chatOf('hello'), { secret: 'sk-no', headers: [`Origin: ${app}`] }), 401],
    'that rejects a body': [postOf('{', { headers: [`Origin: ${app}`] }), 400],
    'that rejects a head': [postOf('{', { headers: [`Origin: ${app}`, `X-A: ${'x'.repeat(9000)}`] }), 431],
    'to an unknown path': [postOf('{', { path: '/nowhere', headers: [`Origin: ${app}`] }), 404],
    'to a wrong method': [`PUT /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: ${app}\r\n\r\n`, 405],
    'of a probe': [`GET /ping HTTP/1.1\r\nHost: x\r\nOrigin: ${app}\r\n\r\n`, 200],
  } as const;

  it.each(Object.entries(kinds))('%s has the CORS headers exactly once', async (_, [bytes, status]) => {
    const response = await send('listed', bytes);
    expect([response.status, response.vary]).toEqual([status, 'Origin']);
    expect(response.cors['access-control-allow-origin']).toBe(app);
    expect(response.cors['access-control-expose-headers']).toContain('x-request-id');
    expect((await send('any', bytes)).cors['access-control-allow-origin']).toBe('*');
    expect((await send('off', bytes)).cors).toEqual({});
    expect(await send('listed', bytes.replace(app, 'https://evil.example'))).toMatchObject({
      vary: 'Origin',
      cors: {},
    });
  });
});

describe('without authentication', () => {
  /** What a browser sends for a page without asking first: a body of no type, or a form. */
  const simple = (headers: string[], type: string | undefined, path = '/v1/chat/completions') =>
    postOf(chatOf('hello'), { secret: null, headers, path }).replace(
      'Content-Type: application/json\r\n',
      type === undefined ? '' : `Content-Type: ${type}\r\n`,
    );
  const form = 'multipart/form-data; boundary=x';
  const evil = 'Origin: https://evil.example';

  it.each([
    ['a body without a type', [evil], undefined, undefined],
    ['a form', [evil], form, '/v1/audio/transcriptions'],
    ['no body', ['Sec-Fetch-Site: cross-site'], undefined, '/v1/responses/resp_1/cancel'],
    ['a file', [evil], form, '/v1/files'],
    ['a body, from a sandboxed page', ['Origin: null'], undefined, undefined],
    ['a body, from another port', ['Sec-Fetch-Site: same-site'], undefined, undefined],
    ['a body with an empty type', [evil], '', undefined],
  ] as const)('a page of another site cannot send %s', async (_, headers, type, path) => {
    const { status, body } = await send('open', simple([...headers], type, path));
    expect([status, JSON.parse(body ?? '').error.code]).toEqual([403, 'wrong_site']);
  });

  it.each([
    ['a program', [], undefined],
    ['a page of ours', ['Origin: http://gateway'], undefined],
    ['a page of ours, behind a proxy', ['Origin: https://a.b', 'X-Forwarded-Host: a.b'], undefined],
    ['a page of ours on https', ['Sec-Fetch-Site: same-origin', evil], undefined],
    ['a page that is listed', [`Origin: ${app}`, 'Sec-Fetch-Site: cross-site'], undefined],
    ['an extension, which browsers let send any type', ['Origin: chrome-extension://x'], 'application/json'],
  ] as const)('%s can', async (_, headers, type) => {
    expect((await send('open', simple([...headers], type))).status).toBe(200);
  });
});
