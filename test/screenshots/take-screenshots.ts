/**
 * `node test/screenshots/take-screenshots.ts [SECONDS] [FOLDER]` takes the pictures of docs/screenshots: the running product
 * under load, with a real llama-server and a real Chromium. SECONDS is how long the load runs before (180).
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '../../scripts/project-folders.ts';
import { chromium } from '../services/service-catalogue.ts';
import { startBrowser } from '../services/start-browser.ts';
import { requireTestService } from '../services/test-service.ts';
import { generateTraffic, killEngine, shownKeys, startShownProduct } from './shown-product.ts';

const seconds = Number(process.argv[2] ?? 180);
const folder = process.argv[3] ?? join(projectFolder, 'docs/screenshots');
const fileOf = (name: string) => join(folder, `${name}.png`);

const program = await requireTestService(chromium);
if (program === undefined) process.exit(1);
await using product = await startShownProduct();
await using chrome = await startBrowser(program);
const end = new AbortController();
const traffic = generateTraffic(product, end.signal);
await sleep(seconds * 600);
killEngine(product);
await sleep(seconds * 400);

const wide = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
await takeDashboard('dashboard-light', { viewport: wide, colorScheme: 'light' }, '#open');
await takeDashboard('dashboard-dark', { viewport: wide, colorScheme: 'dark' }, '#crash-empty');
await takeDashboard('dashboard-phone', { viewport: phone, colorScheme: 'dark', deviceScaleFactor: 2 });
await takeLanding('landing');
await takeChat('chat');
end.abort();
await traffic;

type PageOptions = NonNullable<Parameters<typeof chrome.browser.newPage>[0]>;

/** Takes the page down to the card that contains `last`, or the viewport. */
async function takeDashboard(name: string, options: PageOptions, last?: string): Promise<void> {
  const page = await chrome.browser.newPage(options);
  await page.goto(`${product.origin}/dashboard`);
  await page.getByLabel('API key').fill(shownKeys.ops.secret);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('main[aria-busy="false"]').waitFor();
  await page.locator('#open tbody tr').nth(2).waitFor();
  const card =
    last === undefined ? null : await page.locator('.card', { has: page.locator(last) }).boundingBox();
  const clip = card && { x: 0, y: 0, width: wide.width, height: Math.round(card.y + card.height + 16) };
  await page.screenshot({ path: fileOf(name), ...(clip && { clip, fullPage: true }) });
  await page.context().close();
}

async function takeLanding(name: string): Promise<void> {
  const page = await chrome.browser.newPage({ viewport: { width: 1000, height: 940 }, colorScheme: 'light' });
  await page.goto(product.origin);
  await page.screenshot({ path: fileOf(name) });
  await page.context().close();
}

async function takeChat(name: string): Promise<void> {
  const page = await chrome.browser.newPage({ viewport: { width: 1000, height: 760 }, colorScheme: 'light' });
  await page.goto(`${product.origin}/chat`);
  await page.getByLabel('API key').fill(shownKeys.research.secret);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Message').fill('How do I manage keys?');
  await page.getByLabel('Message').press('Enter');
  await page.locator('.message.assistant:not(.open)').waitFor();
  await page.screenshot({ path: fileOf(name) });
  await page.context().close();
}
