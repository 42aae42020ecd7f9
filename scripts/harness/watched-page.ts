import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the browser has complained of so far: errors, refused resources, breaches of the policy. */
  readonly complaints: readonly string[];
  /** What axe finds wrong, each with the element; empty where a screen reader can use the page. */
  violations(): Promise<string[]>;
  /** By how many pixels the page is wider than its window. */
  overhang(): Promise<number>;
}

/** A page in a profile of its own. */
export async function openPage(browser: Browser, look: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(look);
  // Before vitest's, so that what was waited for in vain has a name.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
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
