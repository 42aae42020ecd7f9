import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDeployment } from '../../harness/start-deployment.ts';

const paths = ['/ping', '/readyz', '/livez', '/startupz', '/ping?from=a-platform'];

it('the health server answers while the model loads', async () => {
  await using house = await startDeployment({ scenario: 'slow' });
  const statuses = () => Promise.all(paths.map(async (path) => (await house.request(path)).status));

  await house.reachesStatus('loading');
  expect(await statuses()).toEqual([204, 503, 200, 503, 204]);
  expect(await house.status()).toMatchObject({ phase: 'bound', loadTimeMs: null, lastCrash: null });

  writeFileSync(join(house.modelFolder, 'loaded'), '');
  await house.reachesStatus('ready');
  expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
  expect(await house.status()).toMatchObject({ loadTimeMs: expect.any(Number), version: expect.any(String) });
});
