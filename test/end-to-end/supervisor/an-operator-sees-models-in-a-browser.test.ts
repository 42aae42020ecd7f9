import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { openPage, type RecordedPage } from '../../harness/recorded-page.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const GiB = 1024 ** 3;
const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('an operator of several models in a browser', () => {
  let chrome: TestBrowser;
  let models: ModelsDeployment;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    models = await startModels({
      fakes: true,
      gatewayKeys: keyFileText({ ops: { secret: opsSecret, scopes: ['admin'] } }),
      models: [
        { id: 'qwen3-8b', file: 'ready', pin: true, limits: { memory: 6 * GiB } },
        { id: 'qwen3-14b', file: 'slow', limits: { memory: 10 * GiB } },
        { id: 'bge-m3', file: 'ready', kind: 'embeddings', limits: { memory: GiB } },
        { id: 'broken', file: 'crash', limits: { memory: GiB } },
      ],
      env: { MEMORY_BUDGET: '24GiB', RESTART_DELAY_MIN: '0' },
    });
    await models.reaches('qwen3-8b', 'loaded');
    await waitFor('the gateway', async () => (await fetch(`${originOf()}/livez`)).ok);
    const targets = [
      { model: 'qwen3-8b', weight: 90 },
      { model: 'qwen3-14b', weight: 10 },
    ];
    const put = { method: 'PUT', headers: { 'x-api-key': opsSecret }, body: JSON.stringify({ targets }) };
    expect((await fetch(`${originOf()}/admin/aliases/latest`, put)).status).toBe(200);
  });
  afterAll(async () => {
    await models[Symbol.asyncDispose]();
    await chrome[Symbol.asyncDispose]();
  });

  const originOf = () => `http://127.0.0.1:${models.deployment.gatewayPort}`;

  async function watching(look = {}): Promise<RecordedPage> {
    const watched = await openPage(chrome.browser, look);
    const { page } = watched;
    await page.goto(`${originOf()}/dashboard`);
    await page.getByLabel('API key').fill(opsSecret);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('main[aria-busy="false"]').waitFor();
    return watched;
  }

  it('sees what is loaded, loads a model and sees how far it is', async () => {
    await using watched = await watching();
    const { page } = watched;
    const row = (id: string) => page.locator(`#models tr[data-key="${id}"]`);
    expect(await row('qwen3-8b').locator('td').allTextContents()).toEqual([
      ...['qwen3-8b', 'chat', 'loaded', '6.0 GiB', '0 of 2', '0', '0', 'pinned', ''],
    ]);
    expect(await page.locator('#model').textContent()).toBe('4 models');
    expect(await page.locator('#models-memory').textContent()).toBe('6.0 GiB of 24 GiB in use');
    await row('qwen3-14b').getByRole('button', { name: 'Load qwen3-14b' }).click();
    await row('qwen3-14b').getByText('loading, 42 %').waitFor();
    expect(await row('qwen3-14b').getByRole('button').count()).toBe(0);
    await row('broken').getByRole('button', { name: 'Load broken' }).click();
    await row('broken')
      .getByText(/^failed, [a-z-]+$/)
      .waitFor();
    expect(await watched.violations()).toEqual([]);
    writeFileSync(join(models.deployment.modelFolder, 'loaded'), '');
    await row('qwen3-14b').getByText('loaded').waitFor();
    await row('qwen3-14b').getByRole('button', { name: 'Unload qwen3-14b' }).waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('promotes a canary, and rolls back', async () => {
    await using watched = await watching();
    const alias = watched.page.locator('#aliases tr[data-key="latest"]');
    await alias.getByText('qwen3-8b 90 %, qwen3-14b 10 %').waitFor();
    await alias.getByRole('button', { name: 'Promote qwen3-14b for latest' }).click();
    await alias.getByRole('button', { name: 'Sure?' }).click();
    await waitFor('the promotion', async () =>
      (await alias.textContent())?.startsWith('latestqwen3-14bRoll'),
    );
    await alias.getByRole('button', { name: 'Roll back latest' }).click();
    await alias.getByRole('button', { name: 'Sure?' }).click();
    await waitFor('the rollback', async () => (await alias.textContent()) === 'latestqwen3-8b');
    expect(watched.complaints).toEqual([]);
  });

  it('reads why something is rejected', async () => {
    await using watched = await watching();
    const { page } = watched;
    // As if the model had been removed a moment ago.
    await page.route('**/dashboard/models/bge-m3/load', (route) =>
      route.continue({ url: route.request().url().replace('bge-m3', 'gone') }),
    );
    await page.getByRole('button', { name: 'Load bge-m3' }).click();
    await page.getByRole('alert').getByText("The model 'gone' does not exist").waitFor();
  });

  it.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 320, height: 640 }],
  ] as const)('finds an accessible page, %s, %o', async (colorScheme, viewport) => {
    await using watched = await watching({ colorScheme, viewport });
    await watched.page.locator('#models tbody tr').nth(3).waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(await watched.overhang()).toBe(0);
    expect(watched.complaints).toEqual([]);
  });
});
