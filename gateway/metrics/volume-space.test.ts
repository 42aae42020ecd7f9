import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { createVolumeReader } from './volume-space.ts';

it('says how full the volume of a folder is', async () => {
  const { free = 0, size = 0 } = (await createVolumeReader(tmpdir())()) ?? {};
  expect(size).toBeGreaterThan(0);
  expect(free).toBeGreaterThanOrEqual(0);
  expect(free).toBeLessThanOrEqual(size);
});

it('says nothing of a folder that is not there', async () => {
  expect(await createVolumeReader('/no/such/folder')()).toBeUndefined();
});
