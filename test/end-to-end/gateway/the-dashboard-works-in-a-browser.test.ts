import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { freePort } from '../../harness/free-port.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { openPage, type RecordedPage } from '../../harness/recorded-page.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const admin = { secret: opsSecret, scopes: ['admin'] } as const;
const keysWith = (ops: object) =>
  keyFileText({
    tester: { secret: testerSecret, limits: { tokensPerDay: 1_000_000 } },
    ops: { ...admin, ...ops },
  });

/** Makes the page record the texts of its tiles and slots whenever they change. */
const recordTexts = `(() => {
  window.texts = new Set();
  const text = (id) => document.getElementById(id).textContent;
  const note = () => window.texts.add(
    text('running') + ' running, ' + text('waiting') + ' waiting: ' + document.getElementById('slots').ariaLabel,
  );
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
})()`;

const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('an operator in a browser', () => {
  let chrome: TestBrowser;
  let demo: Demo;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    demo = await startDemo({ keys: keysWith({}), env: { COST_PER_HOUR: '2.5', GPU_METRICS: 'off' } });
  });
  afterAll(async () => {
    await demo.stop();
    await chrome[Symbol.asyncDispose]();
  });

  afterEach(() => demo.engine.kill('SIGCONT'));

  const open = (look = {}) => openPage(chrome.browser, look);
  const url = (path: string) => demo.corral.origin + path;

  async function logIn({ page }: RecordedPage, secret = opsSecret): Promise<void> {
    await page.goto(url('/dashboard'));
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  async function watching(look = {}): Promise<RecordedPage> {
    const watched = await open(look);
    await logIn(watched);
    await watched.page.locator('main[aria-busy="false"]').waitFor();
    return watched;
  }

  /** A client that requests a story. */
  function requestStory(id: string) {
    return fetch(url('/v1/chat/completions'), {
      method: 'POST',
      headers: { 'x-api-key': testerSecret, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'survival' }] }),
    });
  }

  it('sees live values under load, but no text of any request or response', async () => {
    await using watched = await watching();
    const { page } = watched;
    await page.getByText('No requests since the gateway started').waitFor();
    const textOf = (id: string) => page.locator(`#${id}`).textContent();
    let isDone = false;
    const client = async (name: string) => {
      for (let n = 1; !isDone; n++)
        await requestStory(`load-${name}-${n}`).then((response) => response.text());
    };
    await page.evaluate(recordTexts);
    const clients = Promise.all(['a', 'b', 'c', 'd', 'e'].map(client));
    await waitFor('tokens to appear on the page', async () => {
      return (await textOf('running')) === '2' && !['–', '0'].includes((await textOf('tokens')) ?? '–');
    });
    await page.getByLabel('2 of 2 slots are busy').waitFor();
    await page.locator('#lanes li', { hasText: 'tester' }).waitFor();
    isDone = true;
    await clients;
    await waitFor('the last request to end', async () => (await textOf('running')) === '0');
    const texts = await page.evaluate<string[]>('[...window.texts]');
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts)
      expect(text).toMatch(/^(\d+) running, (\d+) waiting: \1 of \d+ .*busy, \2 wait/);
    await page.locator('#recent tbody tr', { hasText: 'load-a-' }).first().waitFor();
    await page.locator('#keys tbody tr', { hasText: 'of 1M' }).waitFor();
    expect(await textOf('first-token')).toMatch(/^\d/);
    expect(await page.locator('#chart-tokens canvas').count()).toBe(1);
    expect(await page.content()).not.toContain(testerSecret);
    expect(await page.content()).not.toContain(storyText('survival').slice(0, 30));
    expect(watched.complaints).toEqual([]);
  });

  it('cancels a request', async () => {
    await using watched = await watching();
    const { page } = watched;
    // The engine would finish before the click.
    demo.engine.kill('SIGSTOP');
    const client = requestStory('to-be-cancelled').then((response) => response.text());
    const row = page.locator('#open tbody tr', { hasText: 'to-be-ca' });
    await row.getByRole('button', { name: 'Cancel request to-be-cancelled' }).click();
    await row.getByRole('button', { name: 'Sure?' }).click();
    expect(await client).toContain('request_cancelled');
    demo.engine.kill('SIGCONT');
    await row.waitFor({ state: 'detached' });
    await page.locator('#recent tbody tr.refused', { hasText: '403 request_cancelled' }).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('logs out', async () => {
    await using watched = await watching();
    const { page } = watched;
    const [{ value = '' } = {}] = await page.context().cookies();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await page.context().cookies()).toEqual([]);
    const again = await fetch(url('/dashboard/events'), { headers: { cookie: `corral_session=${value}` } });
    expect(again.status).toBe(401);
    expect(watched.complaints).toEqual([]);
  });

  it.each([
    ['sk-wrong', 'This key is unknown or no longer valid.'],
    [testerSecret, "This API key lacks the scope 'admin'"],
  ])('cannot log in with %s', async (secret, message) => {
    await using watched = await open();
    const { page } = watched;
    await logIn(watched, secret);
    await page.getByRole('alert').getByText(message).waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });

  it('is logged out when the key is disabled', async () => {
    await using watched = await watching();
    writeFileSync(demo.corral.keyFile, keysWith({ disabled: true }));
    await watched.page.getByText('Your session has ended').waitFor();
    writeFileSync(demo.corral.keyFile, keysWith({}));
    const headers = { 'x-api-key': opsSecret };
    await waitFor('the key to work again', async () => (await fetch(url('/admin/keys'), { headers })).ok);
    expect(watched.complaints).toEqual([]);
  });

  it('sees that the gateway is unreachable, and that it reconnects', async () => {
    const { backend } = demo.engine;
    const start = (PORT: string) => startTestGateway({ backend, env: { AUTH_ENABLED: 'false', PORT } });
    const first = await start(String(await freePort()));
    await using watched = await open();
    const { page } = watched;
    await page.goto(`${first.origin}/dashboard`);
    await page.getByText('Ready for').waitFor();
    await first.stop();
    await page
      .getByRole('status')
      .getByText(/Cannot reach the gateway. Values as of \d\d:\d\d:\d\d/)
      .waitFor();
    await page.locator('body.stale #status', { hasText: 'Not reachable' }).waitFor();
    await using second = await start(String(first.port));
    await page.locator('#connection').waitFor({ state: 'hidden' });
    expect(second.port).toBe(first.port);
    await page.locator('body:not(.stale) #status', { hasText: 'Ready for' }).waitFor();
  });

  it('sees a crash at the top, errors, and names that differ only at their ends', async () => {
    const name = (end: string) => `customer-${'of-the-north-eastern-region-'.repeat(2)}${end}`.slice(0, 64);
    const ids = ['a', 'b'].map((end) => `${name('').slice(0, 60)}-00${end}`);
    const { backend } = demo.engine;
    const users = Object.fromEntries(ids.map((id) => [id, { secret: `${testerSecret}-${id.at(-1)}` }]));
    await using corral = await startTestGateway({ backend, keys: keyFileText({ ...users, ops: admin }) });
    mkdirSync(join(corral.folder, 'crashes'));
    const at = new Date().toISOString();
    const crash = { at, who: 'llama-server', class: 'killed', cure: 'x', lastLines: [], ranForMs: 5 };
    writeFileSync(
      join(corral.folder, 'crashes', `${at.replaceAll(':', '-')}-llama-server.json`),
      JSON.stringify(crash),
    );
    for (const id of ids)
      await fetch(`${corral.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'x-api-key': users[id]?.secret ?? '', 'content-type': 'application/json' },
        body: id.endsWith('a')
          ? '{'
          : JSON.stringify({ max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }),
      }).then((response) => response.text());
    for (const width of [1280, 390]) {
      await using watched = await open({ viewport: { width, height: 900 } });
      const { page } = watched;
      await page.goto(`${corral.origin}/dashboard`);
      await page.getByLabel('API key').fill(opsSecret);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('link', { name: /llama-server crashed \d+ (s|min) ago/ }).waitFor();
      await page.locator('#errors-aside', { hasText: 'of 2 requests' }).waitFor();
      expect(await page.locator('#errors').textContent()).toBe('1');
      const row = page.locator('#recent tbody tr', { hasText: ids[1] ?? '' });
      const end = await row.locator('.name span').nth(1).boundingBox();
      const output = await row.locator('[data-column=Output]').boundingBox();
      for (const box of [end, output]) expect((box?.x ?? 0) + (box?.width ?? width)).toBeLessThan(width);
      expect(await row.locator('.name span').nth(1).textContent()).toBe(ids[1]?.slice(-8));
      await page.getByText('GPU', { exact: true }).waitFor({ state: 'hidden' });
      expect(await watched.overhang()).toBe(0);
    }
  });

  it.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 320, height: 640 }],
  ] as const)('finds accessible pages, %s, %o', async (colorScheme, viewport) => {
    await using watched = await watching({ colorScheme, viewport });
    const { page } = watched;
    void requestStory('for-the-tables').then((response) => response.text());
    await page.locator('#recent tbody tr', { hasText: 'for-the-t' }).first().waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(await watched.overhang()).toBe(0);
    await page.goto(url('/'));
    await page.getByRole('heading', { name: 'This is an API for demo' }).waitFor();
    expect(await page.locator('pre').first().textContent()).toBe(url('/v1'));
    expect(await watched.violations()).toEqual([]);
    expect(await watched.overhang()).toBe(0);
    expect(watched.complaints).toEqual([]);
  });
});
