import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface RecordedPage extends AsyncDisposable {
  readonly page: Page;
  /**
   * Errors and warnings of its scripts, failed requests, and violations of its content security policy so far. Messages and
   * requests of the browser itself (icons, deprecations) are ignored.
   */
  readonly complaints: readonly string[];
  /** Accessibility violations that axe finds, each with the element. */
  violations(): Promise<string[]>;
  /** How many pixels the page is wider than its window. */
  overhang(): Promise<number>;
}

const pageResources = new Set(['document', 'stylesheet', 'script', 'font', 'xhr', 'fetch', 'eventsource']);

const logPolicyViolations = `document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
  console.error('policy violation: ' + effectiveDirective + ' ' + blockedURI))`;

/** Opens a page in a new profile. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<RecordedPage> {
  const context = await browser.newContext(options);
  // Shorter than vitest's timeout, so that the error names what is missing.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Only messages of scripts have arguments.
    const isOfScript = message.args().length > 0;
    if (isOfScript && ['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    const isOfPage = pageResources.has(response.request().resourceType());
    if (isOfPage && response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  await page.addInitScript(logPolicyViolations);
  return {
    page,
    complaints,
    async violations() {
      // Evaluated from outside, because the page's policy allows no other scripts.
      await page.evaluate(axe);
      const found = await page.evaluate<AxeResults>('axe.run(document)');
      return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    },
    overhang: () => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth'),
    [Symbol.asyncDispose]: () => context.close(),
  };
}
