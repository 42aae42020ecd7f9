import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const tester = { secret: testerSecret };
const admin = { secret: opsSecret, scopes: ['admin'] } as const;
const keys = keyFileText({ tester, ops: admin });

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys,
    env: { TRUSTED_PROXIES: '127.0.0.1', MODEL_ALIAS: 'a"<b>&', MAX_FAILED_LOGINS_PER_MINUTE: '3' },
  });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

type Headers = Readonly<Record<string, string>>;
const ours = { 'sec-fetch-site': 'same-origin' };

function send(request: string, headers: Headers = {}, { origin } = corral) {
  const [method = '', path = ''] = request.split(' ');
  return fetch(origin + path, { method, headers, redirect: 'manual' });
}

const logIn = (headers: Headers = {}, to = corral) =>
  send('POST /dashboard/session', { ...ours, authorization: `Bearer ${opsSecret}`, ...headers }, to);

/** The headers of a page that has logged in. */
async function session(): Promise<Headers> {
  const cookie = (await logIn()).headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { ...ours, cookie };
}

const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;

/** The events until they match `enough` or the stream ends. */
async function events(
  headers: Headers,
  enough: RegExp,
  from = corral,
  onOpen: () => void = () => undefined,
): Promise<string> {
  const end = new AbortController();
  const { signal } = end;
  const response = await fetch(`${from.origin}/dashboard/events`, { headers, signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  onOpen();
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (enough.test(text)) break;
  }
  end.abort();
  return text;
}

describe('without a session', () => {
  it('only the login page is available', async () => {
    const page = await send('GET /dashboard', { accept: 'text/html' });
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/Log in/);
    for (const cookie of [
      '',
      'corral_session=',
      'corral_session=AAAA',
      'corral_session=%ff;corral_session=x',
    ]) {
      const headers = { ...ours, cookie };
      expect(await codeOf(await send('GET /dashboard/events', headers))).toBe('session_needed');
      expect(await codeOf(await send('DELETE /dashboard/requests/some', headers))).toBe('session_needed');
      expect(await codeOf(await send('POST /dashboard/models/x/load', headers))).toBe('session_needed');
      expect(await codeOf(await send('POST /dashboard/aliases/x/rollback', headers))).toBe('session_needed');
      expect(await (await send('GET /dashboard/session', headers)).json()).toMatchObject({ active: false });
    }
  });

  it('a key without the admin scope cannot log in', async () => {
    const response = await logIn({ authorization: `Bearer ${testerSecret}` });
    expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
  });

  it('failed logins are rate limited, a valid key is not', async () => {
    const guess = () =>
      logIn({ authorization: 'Bearer sk-guess', 'x-forwarded-for': '203.0.113.9' }).then(
        ({ status }) => status,
      );
    expect([await guess(), await guess(), await guess(), await guess()]).toEqual([401, 401, 401, 429]);
    expect((await logIn({ 'x-forwarded-for': '203.0.113.9' })).status).toBe(204);
  });
});

describe('a session', () => {
  it.each([
    ['over http', {}, false],
    ['over https behind a trusted proxy', { 'x-forwarded-proto': 'https' }, true],
  ])('%s is stored in a cookie that scripts and other sites cannot use', async (_, headers, secure) => {
    const [cookie = ''] = (await logIn(headers)).headers.getSetCookie();
    const [value, ...attributes] = cookie.split('; ');
    expect(value).toMatch(/^corral_session=[\w-]{43}$/);
    expect(attributes.filter((one) => !one.startsWith('Max-Age')).toSorted()).toEqual(
      ['HttpOnly', 'Path=/dashboard', 'SameSite=Strict', ...(secure ? ['Secure'] : [])].toSorted(),
    );
  });

  it('sends the state of the system without any secrets', async () => {
    const text = await events(await session(), /event: crash\ndata: .*\n\n/);
    expect(text).toMatch(/^event: history\ndata: \[/);
    const [, now = ''] = /event: now\ndata: (.*)\n/.exec(text) ?? [];
    expect(JSON.parse(now)).toMatchObject({ standing: 'ready', open: [], slots: { busy: 0 }, problems: [] });
    for (const secret of [testerSecret, opsSecret, 'sha256:']) expect(text).not.toContain(secret);
  });

  it('outlasts a restart of the gateway, and so does the history of the charts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'corral-restart-'));
    const start = () => startTestGateway({ backend: fakeBackend.backend, keys, folder });
    const first = await start();
    const before = await logIn({}, first);
    const cookie = before.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await send('POST /v1/chat/completions', { authorization: `Bearer ${testerSecret}` }, first);
    const sampled = /"errors":1,"firstTokenP50"/;
    expect(await events({ ...ours, cookie }, sampled, first)).toMatch(sampled);
    await first.stop();
    const second = await start();
    expect(await events({ ...ours, cookie }, /event: now/, second)).toMatch(
      /event: history\ndata: [^\n]*"errors":1/,
    );
    await second.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends on logout', async () => {
    const headers = await session();
    expect((await send('DELETE /dashboard/session', headers)).status).toBe(204);
    expect((await send('GET /dashboard/events', headers)).status).toBe(401);
  });

  it.each([
    ['disabled', { tester, ops: { ...admin, disabled: true } }],
    ['removed', { tester }],
    ['expired', { tester, ops: { ...admin, expires: Date.now() - 1000 } }],
    ['without the admin scope', { tester, ops: { ...admin, scopes: ['metrics'] } }],
    ['given a new secret', { tester, ops: { ...admin, secret: `${opsSecret}-new` } }],
  ] as const)('ends when its key is %s, and open event streams end too', async (_, changed) => {
    const headers = await session();
    const { promise: open, resolve: onOpen } = Promise.withResolvers<void>();
    const watching = events(headers, /never/, corral, onOpen);
    await Promise.race([open, watching]);
    writeFileSync(corral.keyFile, keyFileText(changed));
    await corral.gateway.reloadKeys();
    expect(await watching).toMatch(/event: ended\ndata: \{\}\n\n$/);
    writeFileSync(corral.keyFile, keys);
    await corral.gateway.reloadKeys();
    expect((await send('GET /dashboard/events', headers)).status).toBe(401);
  });
});

describe('cross-site requests', () => {
  const elsewhere: [string, Headers][] = [
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['same-site', { 'sec-fetch-site': 'same-site' }],
    ['from another origin', { origin: 'https://evil.example' }],
    ['with an opaque origin', { origin: 'null' }],
  ];
  it.each(elsewhere)('%s are rejected', async (_, from) => {
    const { cookie = '' } = await session();
    const headers = { cookie, ...from };
    for (const request of [
      'GET /dashboard/events',
      'DELETE /dashboard/requests/x',
      'POST /dashboard/models/x/load',
      'POST /dashboard/models/x/unload',
      'POST /dashboard/aliases/x/promote',
      'POST /dashboard/aliases/x/rollback',
      'DELETE /dashboard/session',
    ]) {
      expect([request, await codeOf(await send(request, headers))]).toEqual([request, 'wrong_site']);
    }
    const authorization = `Bearer ${opsSecret}`;
    expect(await codeOf(await send('POST /dashboard/session', { authorization, ...from }))).toBe(
      'wrong_site',
    );
  });

  it('a state-changing request must prove that it comes from the same origin', async () => {
    const { cookie = '' } = await session();
    expect(await codeOf(await send('DELETE /dashboard/requests/x', { cookie }))).toBe('wrong_site');
    const headers = { cookie, origin: corral.origin };
    expect(await codeOf(await send('DELETE /dashboard/requests/x', headers))).toBe('request_not_found');
  });
});

describe('responses to browsers', () => {
  const policy = /^default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none'$/;

  it('load assets from this server only and cache them by version', async () => {
    const page = await (await send('GET /dashboard', await session())).text();
    expect(page).not.toMatch(/https?:\/\/|<script(?! type="module" src="dashboard)|style=|onclick/);
    const assets = [...page.matchAll(/"(dashboard\/assets\/[^"]+)"/g)].map(([, path]) => `GET /${path}`);
    expect(assets).toHaveLength(4);
    for (const asset of assets) {
      const { status, headers } = await send(asset);
      expect([asset, status, headers.get('cache-control')]).toEqual([
        asset,
        200,
        expect.stringContaining('immutable'),
      ]);
      expect(headers.get('content-security-policy')).toMatch(policy);
      const again = await send(asset, { 'if-none-match': headers.get('etag') ?? '' });
      expect([again.status, await again.text()]).toEqual([304, '']);
      const old = await send(asset.replace(/assets\/\w+/, 'assets/0123456789ab'));
      expect([old.status, old.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    }
    expect((await send('GET /dashboard/assets/x/..%2fsessions.ts')).status).toBe(404);
  });

  it('at / are an HTML page in which untrusted text is escaped', async () => {
    const page = await send('GET /', { accept: 'text/html,*/*;q=0.8' });
    expect(page.headers.get('content-security-policy')).toMatch(policy);
    const text = await page.text();
    expect(text).toContain('a&quot;&lt;b&gt;&amp;');
    expect(text).not.toContain('<b>');
    expect(text).toContain(corral.origin.replace('http://', ''));
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'llm.example' };
    expect(await (await send('GET /', { accept: 'text/html', ...forwarded })).text()).toContain(
      '<span class="origin">https://llm.example</span>/v1',
    );
    const urls = await send('GET /', { accept: 'application/json' });
    expect(await urls.json()).toMatchObject({ name: 'llama-corral', api: '/v1' });
  });

  it('support HEAD wherever GET is supported', async () => {
    const headers = await session();
    for (const path of ['/', '/dashboard', '/dashboard/session', '/dashboard/events']) {
      const response = await send(`HEAD ${path}`, headers);
      expect([path, response.status, await response.text()]).toEqual([path, 200, '']);
    }
  });
});

it('if authentication is off, the dashboard is public but still rejects cross-site requests', async () => {
  await using open = await startTestGateway({ backend: fakeBackend.backend, env: { AUTH_ENABLED: 'false' } });
  const page = await send('GET /dashboard', {}, open);
  expect(await page.text()).toContain('no authentication');
  expect(await events(ours, /event: now/, open)).toContain('"keys":null');
  expect((await send('GET /dashboard/events', { 'sec-fetch-site': 'cross-site' }, open)).status).toBe(403);
  expect(await codeOf(await send('DELETE /dashboard/requests/x', ours, open))).toBe('request_not_found');
});
