/**
 * The pictures of docs/screenshots, of the running product under load, through a real llama-server and a real Chromium:
 * `node scripts/harness/screenshots/take-screenshots.ts [SECONDS]`, which is how long the load runs first (180).
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { projectFolder } from '../../house-folders.ts';
import { chromium } from '../../peers/peers.ts';
import { peerForTests } from '../peer-for-tests.ts';
import { startBrowser } from '../start-browser.ts';
import { makeLoad } from './make-load.ts';
import { shownKeys, startShownProduct } from './start-shown-product.ts';

const seconds = Number(process.argv[2] ?? 180);
const folder = join(projectFolder, 'docs/screenshots');

const peer = await peerForTests(chromium);
if (peer === undefined) process.exit(1);
await using product = await startShownProduct();
await using chrome = await startBrowser(peer);
const end = new AbortController();
const load = makeLoad(product, end.signal);
await sleep(seconds * 600);
product.killEngine();
await sleep(seconds * 400);

/** Down to the requests under way, and to the keys. */
const [wide, whole] = [
  { width: 1280, height: 1340 },
  { width: 1280, height: 2000 },
];
const phone = { width: 390, height: 844 };
await takeDashboard('dashboard-light', { viewport: wide, colorScheme: 'light' });
await takeDashboard('dashboard-dark', { viewport: whole, colorScheme: 'dark' });
await takeDashboard('dashboard-phone', { viewport: phone, colorScheme: 'dark', deviceScaleFactor: 2 });
await takeLanding('landing');
end.abort();
await load;

type Look = NonNullable<Parameters<typeof chrome.browser.newPage>[0]>;

async function takeDashboard(name: string, look: Look): Promise<void> {
  const page = await chrome.browser.newPage(look);
  await page.goto(`${product.origin}/dashboard`);
  await page.getByLabel('API key').fill(shownKeys.ops.secret);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('main[aria-busy="false"]').waitFor();
  await page.locator('#open tbody tr').nth(3).waitFor();
  await shoot(page, name);
}

async function takeLanding(name: string): Promise<void> {
  const page = await chrome.browser.newPage({ viewport: { width: 1000, height: 980 }, colorScheme: 'light' });
  await page.goto(product.origin);
  await shoot(page, name);
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.context().close();
}
