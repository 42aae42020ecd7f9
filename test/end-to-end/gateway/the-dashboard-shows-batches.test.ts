import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { openPage } from '../../harness/recorded-page.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { createInBackground } from '../../harness/stored-responses.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const peer = await requireTestService(chromium);
const keys = keyFileText({ tester: { secret: testerSecret, scopes: ['batch', 'admin'] } });

describe.skipIf(peer === undefined)('the dashboard in a browser', () => {
  let chrome: TestBrowser;
  let gateway: StoreGateway;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    gateway = await startStoreGateway({}, keys);
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await chrome?.[Symbol.asyncDispose]();
  });

  it('shows batches that have not ended, their progress, why they are paused, and the store', async () => {
    const id = await gateway.createBatch();
    const store = gateway.openStore();
    const opened = await openPage(chrome.browser, {});
    const { page } = opened;
    await page.goto(`${gateway.corral.origin}/dashboard`);
    await page.getByLabel('API key').fill(testerSecret);
    await page.getByRole('button', { name: 'Log in' }).click();
    const row = page.locator('#batches tbody tr');
    await row.getByText('validating').waitFor();
    expect(await row.locator('td').first().textContent()).toBe(id);

    const line = { offset: 0, length: 2, sortKey: Buffer.of(1) };
    store.batches.addLines(id, [
      { number: 1, customId: 'a', ...line },
      { number: 2, customId: 'b', ...line },
    ]);
    store.batches.transition(id, 'in_progress', { model: 'demo', reason: 'the disk is full' });
    await store.batches.finishLines(id, [{ number: 1, state: 'failed', text: '{}' }]);
    await row.getByText('in progress, paused: the disk is full').waitFor();
    await row.getByText('1 of 2').waitFor();
    expect(await page.locator('#batches-store').textContent()).toBe('Store: 0 MiB of 20 GiB');
    expect(await page.locator('#batches-message').isHidden()).toBe(true);

    await page.setViewportSize({ width: 390, height: 844 });
    for (const cell of [1, 2]) {
      const { x = 0, width = 390 } = (await row.locator('td').nth(cell).boundingBox()) ?? {};
      expect(x + width, 'on a phone').toBeLessThanOrEqual(390);
    }

    store.conversations.create('tester', [], {});
    createInBackground(store, 'hello', { owner: 'tester' });
    await page
      .getByText('; responses: 1, conversations: 1; in the background: 1 queued, 0 in progress')
      .waitFor();

    store.batches.transition(id, 'failed');
    await page.getByText('No batches are waiting or running.').waitFor();
  });
});
