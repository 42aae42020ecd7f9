import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface RecordedPage extends AsyncDisposable {
  readonly page: Page;
  /**
   * What was wrong with the page so far: errors and warnings of its scripts, what it asked for and did not get, breaches of
   * its policy. What the browser says and asks for of its own accord (icons, advice, deprecations) differs from one to the
   * next and is none of ours.
   */
  readonly complaints: readonly string[];
  /** What axe finds wrong, each with the element; empty where a screen reader can use the page. */
  violations(): Promise<string[]>;
  /** By how many pixels the page is wider than its window. */
  overhang(): Promise<number>;
}

const askedByPages = new Set(['document', 'stylesheet', 'script', 'font', 'xhr', 'fetch', 'eventsource']);

const tellBreaches = `document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
  console.error('breach of the policy: ' + effectiveDirective + ' ' + blockedURI))`;

/** A page in a profile of its own. */
export async function openPage(browser: Browser, look: BrowserContextOptions = {}): Promise<RecordedPage> {
  const context = await browser.newContext(look);
  // Before vitest's, so that what was waited for in vain has a name.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Only what a script has said comes with the values that it said.
    const isOfScript = message.args().length > 0;
    if (isOfScript && ['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    const isOfPage = askedByPages.has(response.request().resourceType());
    if (isOfPage && response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  await page.addInitScript(tellBreaches);
  return {
    page,
    complaints,
    async violations() {
      // Evaluated from outside, as the page's policy lets no script in.
      await page.evaluate(axe);
      const found = await page.evaluate<AxeResults>('axe.run(document)');
      return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    },
    overhang: () => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth'),
    [Symbol.asyncDispose]: () => context.close(),
  };
}
