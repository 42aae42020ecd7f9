import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { openPage, type RecordedPage } from '../../harness/recorded-page.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const adminSecret = 'sk-admin-0123456789abcdefghijklmnopqrstuvwxyz01';
const keysWith = (tester: object) =>
  keyFileText({
    tester: { secret: testerSecret, ...tester },
    admin: { secret: adminSecret, scopes: ['admin'] },
  });
/** The first words of the story. */
const beginning = storyText('survival').slice(0, 30);

const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('a user in a browser', () => {
  let chrome: TestBrowser;
  let demo: Demo;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    demo = await startDemo({ keys: keysWith({}) });
  });
  afterAll(async () => {
    await demo.stop();
    await chrome[Symbol.asyncDispose]();
  });
  afterEach(() => demo.engine.kill('SIGCONT'));

  const leases = () => demo.corral.gateway.scheduler.leasesOut;

  async function logIn({ page }: RecordedPage, secret: string): Promise<void> {
    await page.goto(`${demo.corral.origin}/chat`);
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  async function chatting(look = {}): Promise<RecordedPage> {
    const watched = await openPage(chrome.browser, look);
    await logIn(watched, testerSecret);
    await watched.page.getByRole('heading', { name: 'Chat with demo' }).waitFor();
    return watched;
  }

  async function send({ page }: RecordedPage, text: string): Promise<void> {
    await page.getByLabel('Message').fill(text);
    await page.getByLabel('Message').press('Enter');
  }

  const facts = /^\d+ tokens · .+ tokens\/s · first token after \d/;

  it('logs in, reads a response as it is generated, and finds it again after a reload', async () => {
    await using watched = await chatting();
    const { page } = watched;
    await send(watched, 'survival');
    await page.getByText(beginning).waitFor();
    await page.getByText(facts).waitFor();
    await page.reload();
    await page.getByText(beginning).waitFor();
    await page.getByText(facts).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Send' }).waitFor();
    expect(await page.locator('.message').count()).toBe(2);
    const last = demo.corral.logged.findLast(({ path }) => path === '/v1/chat/completions');
    expect(last).toMatchObject({ key: 'tester', status: 200 });
    expect(watched.complaints).toEqual([]);
  });

  it('stops a response, which frees its slot at once', async () => {
    await using watched = await chatting();
    const { page } = watched;
    // The engine would finish before the click.
    demo.engine.kill('SIGSTOP');
    await send(watched, 'survival');
    await page.getByText('Waiting for the model…').waitFor();
    await waitFor('the request to be running', () => leases() === 1);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('stopped').waitFor();
    demo.engine.kill('SIGCONT');
    await waitFor('the slot to be free', () => leases() === 0);
    await send(watched, 'survival');
    await page.getByText(facts).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('keeps what there is of a response when the page is reloaded', async () => {
    await using watched = await chatting();
    const { page } = watched;
    demo.engine.kill('SIGSTOP');
    await send(watched, 'survival');
    await waitFor('the request to be running', () => leases() === 1);
    await page.reload();
    await page.getByText('stopped').waitFor();
    demo.engine.kill('SIGCONT');
    await waitFor('the slot to be free', () => leases() === 0);
    expect(await page.locator('.message.user').innerText()).toContain('survival');
  });

  it.each([
    ['sk-wrong', 'This key is unknown or no longer valid.'],
    [adminSecret, "This API key lacks the scope 'inference'"],
    ['пароль', 'A key has only letters, digits and signs, without spaces.'],
  ])('cannot log in with %s', async (secret, message) => {
    await using watched = await openPage(chrome.browser);
    const { page } = watched;
    await logIn(watched, secret);
    await page.getByRole('alert').getByText(message).waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(await page.evaluate('sessionStorage.getItem("corral.chat.key")')).toBe(null);
  });

  it('continues with another key when the first one is disabled', async () => {
    await using watched = await chatting();
    const { page } = watched;
    writeFileSync(demo.corral.keyFile, keysWith({ disabled: true }));
    const status = async () =>
      (await fetch(`${demo.baseURL}/models`, { headers: { 'x-api-key': testerSecret } })).status;
    await waitFor('the key to be disabled', async () => (await status()) === 401);
    await send(watched, 'survival');
    await page.getByText('invalid_api_key').waitFor();
    writeFileSync(demo.corral.keyFile, keysWith({}));
    await waitFor('the key to be valid', async () => (await status()) === 200);
    await page.getByRole('button', { name: 'Use another key' }).click();
    await page.getByLabel('API key').fill(testerSecret);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(beginning).waitFor();
  });

  it('leaves nothing behind after logging out', async () => {
    await using watched = await chatting();
    const { page } = watched;
    await send(watched, 'survival');
    await page.getByText(facts).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await page.evaluate('[sessionStorage.length, localStorage.length]')).toEqual([0, 0]);
    expect(await page.context().cookies()).toEqual([]);
    expect(page.url()).toBe(`${demo.corral.origin}/chat`);
    expect(watched.complaints).toEqual([]);
  });

  it('shows nothing of before when it is restored after logging out elsewhere in the tab', async () => {
    await using watched = await chatting();
    const { page } = watched;
    await send(watched, 'survival');
    await page.getByText(facts).waitFor();
    // A page that was left and is shown again (Back) runs on as it was.
    await page.evaluate(
      "sessionStorage.clear(); dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    );
    await page.getByLabel('API key').waitFor();
    expect([await page.getByText(facts).count(), await page.evaluate('sessionStorage.length')]).toEqual([
      0, 0,
    ]);
  });

  it.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 320, height: 640 }],
  ] as const)('finds an accessible page, %s, %o', async (colorScheme, viewport) => {
    await using watched = await chatting({ colorScheme, viewport });
    const { page } = watched;
    const check = async () => expect([await watched.violations(), await watched.overhang()]).toEqual([[], 0]);
    await check();
    await send(watched, 'survival');
    await page.getByText(facts).waitFor();
    await check();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('System prompt').waitFor();
    await check();
    expect(watched.complaints).toEqual([]);
  });

  it('needs no key where authentication is off', async () => {
    const env = { AUTH_ENABLED: 'false' };
    await using open = await startTestGateway({ backend: demo.engine.backend, env });
    await using watched = await openPage(chrome.browser);
    const { page } = watched;
    for (const start of ['/', '/dashboard']) {
      await page.goto(open.origin + start);
      await page.getByRole('link', { name: 'Chat' }).click();
      await page.waitForURL(`${open.origin}/chat`);
    }
    await page.getByRole('heading', { name: 'Chat with demo' }).waitFor();
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0);
    await send(watched, 'survival');
    await page.getByText(beginning).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('finds neither page nor link with UI=false', async () => {
    const env = { UI: 'false', AUTH_ENABLED: 'false' };
    await using off = await startTestGateway({ backend: demo.engine.backend, env });
    const get = (path: string) => fetch(off.origin + path, { headers: { accept: 'text/html' } });
    expect((await get('/chat')).status).toBe(404);
    expect((await get('/dashboard/assets/x/chat/chat.js')).status).toBe(404);
    for (const path of ['/', '/dashboard']) expect(await (await get(path)).text()).not.toContain('chat"');
    expect(await (await fetch(off.origin)).json()).not.toHaveProperty('chat');
  });
});
