import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { openPage } from '../../harness/recorded-page.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

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

const get = (path: string, headers = {}) => fetch(corral.origin + path, { headers });

describe('the API reference', () => {
  it('is public and supports conditional requests', async () => {
    const first = await get('/openapi.json');
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await first.json()).toMatchObject({ openapi: '3.1.1', info: { title: 'llama-corral' } });
    const again = await get('/openapi.json', { 'if-none-match': first.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it.each(['/openapi.json', '/docs'])('%s accepts only GET', async (path) => {
    const response = await fetch(corral.origin + path, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it.each(['nothing.js', '..%2fopenapi.json', 'constructor', 'toString'])('%s is not found', async (name) => {
    expect((await get(`/docs/assets/${name}`)).status).toBe(404);
  });

  it('has a cacheable icon that needs no key and supports HEAD', async () => {
    const page = await (await get('/docs')).text();
    expect(page).toContain('<link rel="icon" href="favicon.ico"');
    const icon = await get('/favicon.ico');
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(icon.headers.get('cache-control')).toBe('public, max-age=86400');
    expect(await icon.text()).toMatch(/^<svg /);
    const again = await get('/favicon.ico', { 'if-none-match': icon.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await fetch(`${corral.origin}/favicon.ico`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const posted = await fetch(`${corral.origin}/favicon.ico`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('has a content security policy without foreign or inline scripts', async () => {
    const policy = (await get('/docs')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toContain('unsafe');
  });
});

const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('in a browser', () => {
  let chrome: TestBrowser;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
  });
  afterAll(() => chrome[Symbol.asyncDispose]());

  it('the page shows every operation, makes no external requests and does not violate its policy', async () => {
    await using watched = await openPage(chrome.browser, { colorScheme: 'dark' });
    const { page, complaints: problems } = watched;
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(`${corral.origin}/docs`);
    await page.locator('.opblock').first().waitFor();
    const document = (await (await get('/openapi.json')).json()) as { paths: Record<string, object> };
    const count = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length;
    expect(await page.locator('.opblock').count()).toBe(count);
    expect(await page.locator('html.dark-mode').count()).toBe(1);
    expect(await page.locator('.servers option').allTextContents()).toEqual([corral.origin]);
    expect(requested.filter((url) => !url.startsWith(corral.origin) && !url.startsWith('data:'))).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('an operation can be called with a key', async () => {
    await using watched = await openPage(chrome.browser, { colorScheme: 'light' });
    const { page, complaints: problems } = watched;
    await page.goto(`${corral.origin}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.locator('#auth-bearer-value').first().fill(corral.secret);
    await page.locator('.auth-btn-wrapper .authorize').first().click();
    await page.getByRole('button', { name: 'Close' }).first().click();
    await page.locator('#operations-OpenAI-listModels button').first().click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('.live-responses-table').getByText('"fake-model"').first().waitFor();
    expect(problems).toEqual([]);
  });
});
