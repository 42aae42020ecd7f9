import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { createVolumeReader } from './process-metrics.ts';

it('returns the free space and size of the volume of a folder', async () => {
  const { free = 0, size = 0 } = (await createVolumeReader(tmpdir())()) ?? {};
  expect(size).toBeGreaterThan(0);
  expect(free).toBeGreaterThanOrEqual(0);
  expect(free).toBeLessThanOrEqual(size);
});

it('returns undefined for a missing folder', async () => {
  expect(await createVolumeReader('/no/such/folder')()).toBeUndefined();
});
