import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { openPage } from '../../harness/recorded-page.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const secret = 'sk-user-0123456789abcdefghijklmnopqrstuvwxyz012';
const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('a user in a browser, with several models', () => {
  let chrome: TestBrowser;
  let models: ModelsDeployment;
  let origin: string;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    models = await startModels({
      fakes: true,
      gatewayKeys: keyFileText({ user: { secret, models: ['small', 'large', 'vectors'] } }),
      models: [
        { id: 'small', file: 'ready', pin: true },
        { id: 'large', file: 'slow' },
        { id: 'secret', file: 'ready' },
        { id: 'vectors', file: 'ready', kind: 'embeddings' },
      ],
      env: { STREAM_HEADERS_AFTER: '0', STREAM_KEEPALIVE: '1s' },
    });
    origin = `http://127.0.0.1:${models.deployment.gatewayPort}`;
    await models.reaches('small', 'loaded');
    await waitFor('the gateway', async () => (await fetch(`${origin}/livez`)).ok);
  });
  afterAll(async () => {
    await models[Symbol.asyncDispose]();
    await chrome[Symbol.asyncDispose]();
  });

  it('chooses among the chat models of the key, and sees how much of one is loaded', async () => {
    await using watched = await openPage(chrome.browser, { viewport: { width: 390, height: 800 } });
    const { page } = watched;
    await page.goto(`${origin}/chat`);
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Chat with small' }).waitFor();
    expect(await page.getByLabel('Model').locator('option').allTextContents()).toEqual([
      'small',
      'large (unloaded)',
    ]);
    await page.getByLabel('Model').selectOption('large');
    await page.getByRole('heading', { name: 'Chat with large' }).waitFor();
    await page.getByLabel('Message').fill('Hello');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Loading large, 42 %').waitFor();
    expect([await watched.violations(), await watched.overhang()]).toEqual([[], 0]);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('stopped').waitFor();
    writeFileSync(join(models.deployment.modelFolder, 'loaded'), '');
    await models.reaches('large', 'loaded');
    await page.reload();
    await page
      .getByLabel('Model')
      .locator('option', { hasText: /^large$/ })
      .waitFor({ state: 'attached' });
    expect(await page.getByLabel('Model').inputValue()).toBe('large');
    expect(watched.complaints).toEqual([]);
  });
});
