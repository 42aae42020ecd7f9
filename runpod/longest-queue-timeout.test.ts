import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { longestQueueTimeout } from './longest-queue-timeout.ts';

it('the longest queue timeout is that of QUEUE_TIMEOUT or of a model, as models.json is now', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('models.json');
  const timeout = (env: Record<string, string> = {}) =>
    longestQueueTimeout(readSettings({ QUEUE_TIMEOUT: '60', ...env }).settings);
  const write = (...timeouts: readonly (string | undefined)[]) =>
    writeFile(
      file,
      JSON.stringify({
        version: 1,
        models: timeouts.map((queueTimeout, n) => ({
          ...{ id: `m${n}`, path: '/m/model.gguf', limits: { queueTimeout } },
        })),
      }),
    );
  expect(await timeout()).toBe(60_000);
  await write('10m', '5s', undefined);
  expect(await timeout({ MODELS_FILE: file })).toBe(600_000);
  await write('5s');
  expect(await timeout({ MODELS_FILE: file })).toBe(60_000);
  await writeFile(file, 'no JSON');
  expect(await timeout({ MODELS_FILE: file })).toBe(60_000);
});
