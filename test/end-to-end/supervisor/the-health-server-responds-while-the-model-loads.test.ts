import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDeployment } from '../../harness/start-deployment.ts';

const paths = ['/ping', '/readyz', '/livez', '/startupz', '/ping?from=a-platform'];

it('the health server responds while the model loads', async () => {
  await using deployment = await startDeployment({ scenario: 'slow' });
  const statuses = () => Promise.all(paths.map(async (path) => (await deployment.request(path)).status));

  await deployment.reachesStatus('loading');
  expect(await statuses()).toEqual([204, 503, 200, 503, 204]);
  expect(await deployment.status()).toMatchObject({ phase: 'bound', loadTimeMs: null, lastCrash: null });

  writeFileSync(join(deployment.modelFolder, 'loaded'), '');
  await deployment.reachesStatus('ready');
  expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
  expect(await deployment.status()).toMatchObject({
    loadTimeMs: expect.any(Number),
    version: expect.any(String),
  });
});
