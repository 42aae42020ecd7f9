import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage, type RecordedPage } from '../../harness/recorded-page.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { demoModelFile } from '../../services/demo-models.ts';
import { chromium } from '../../services/service-catalogue.ts';
import { startBrowser, type TestBrowser } from '../../services/start-browser.ts';
import { requireTestService } from '../../services/test-service.ts';

const peer = await requireTestService(chromium);

describe.skipIf(peer === undefined)('an operator of several models in a browser', () => {
  let chrome: TestBrowser;
  let models: ServedModels;
  beforeAll(async () => {
    if (peer) chrome = await startBrowser(peer);
    const folder = newFolder();
    const smi = join(folder, 'nvidia-smi-steady');
    symlinkSync(join(import.meta.dirname, '../../fakes/fake-nvidia-smi.ts'), smi);
    const broken = join(folder, 'broken.gguf');
    writeFileSync(broken, 'GGUF and nothing else');
    const limits = { memory: '1GiB' };
    models = await startServedModels(
      {
        models: [
          { id: 'guide', path: await demoModelFile('guide'), pin: true, limits },
          { id: 'broken', path: broken, limits },
        ],
        aliases: [
          {
            name: 'latest',
            targets: [
              { model: 'guide', weight: 90 },
              { model: 'broken', weight: 10 },
            ],
          },
        ],
      },
      {
        ...{ NVIDIA_SMI: smi, GPU_INTERVAL: '50ms', NGL: '0', MEMORY_BUDGET: '4GiB' },
        COST_PER_HOUR: '3600',
      },
    );
    await models.reaches('guide', 'loaded');
  });
  afterAll(async () => {
    await models?.[Symbol.asyncDispose]();
    await chrome?.[Symbol.asyncDispose]();
  });

  async function watching(look = {}): Promise<RecordedPage> {
    const watched = await openPage(chrome.browser, look);
    await watched.page.goto(`${models.origin}/dashboard`);
    await watched.page.locator('main[aria-busy="false"]').waitFor();
    return watched;
  }

  it('sees what each model costs, in money and energy', async () => {
    await using watched = await watching();
    const { page } = watched;
    await page.locator('#model-costs tr[data-key="guide"]').getByText('0', { exact: true }).waitFor();
    await models.chat('guide', 'About keys', { max_tokens: 100 });
    const cells = page.locator('#model-costs tr[data-key="guide"] td');
    // Money for the machine time, money per million tokens, joules per token.
    for (const cell of [1, 2, 3]) await cells.nth(cell).getByText(/[1-9]/).waitFor();
    expect(await page.locator('#model-costs tr[data-key="broken"] td').allTextContents()).toEqual([
      ...['broken', '0', '–', '–'],
    ]);
    expect(watched.complaints).toEqual([]);
  });

  it('sees that a canary gets no requests, and why', async () => {
    await using watched = await watching();
    const { page } = watched;
    const targets = page.locator('#aliases tr[data-key="latest"] td').nth(1);
    await targets.getByText('guide 90 %, broken 10 %').waitFor();
    await models.post('/v1/chat/completions', {
      model: 'broken',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    await targets.getByText('guide 100 %, broken 0 % (gets no requests: it has failed)').waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 320, height: 640 }],
  ] as const)('finds an accessible page, %s, %o', async (colorScheme, viewport) => {
    await using watched = await watching({ colorScheme, viewport });
    await watched.page.locator('#model-costs tbody tr').nth(1).waitFor();
    expect(await watched.violations()).toEqual([]);
    expect(await watched.overhang()).toBe(0);
  });
});
