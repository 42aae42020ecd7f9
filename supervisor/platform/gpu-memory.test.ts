import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { processGpuBytes, readGpuBytes, readProcessGpuBytes } from './gpu-memory.ts';

const MiB = 1024 ** 2;

describe('the memory of the GPUs', () => {
  it('is the sum of those that may be used', async () => {
    await using folder = await temporaryFolder();
    const nvidiaSmi = folder.file('nvidia-smi');
    writeFileSync(nvidiaSmi, '#!/bin/sh\nif [ "$1" = -i ]; then echo 100; else echo 100; echo 28; fi\n');
    chmodSync(nvidiaSmi, 0o755);
    expect(await readGpuBytes({ nvidiaSmi, visibleDevices: undefined })).toBe(128 * MiB);
    expect(await readGpuBytes({ nvidiaSmi, visibleDevices: '0' })).toBe(100 * MiB);
    expect(await readGpuBytes({ nvidiaSmi, visibleDevices: '-1' })).toBeUndefined();
  });

  it('is unknown without nvidia-smi', async () => {
    const nvidiaSmi = '/nowhere/nvidia-smi';
    expect(await readGpuBytes({ nvidiaSmi, visibleDevices: undefined })).toBeUndefined();
    expect(await readProcessGpuBytes(nvidiaSmi, 1)).toBeUndefined();
  });
});

it('the GPU memory of a process is the sum of its GPUs', () => {
  const table = '41, 900\n42, 1000\n42, 24\n43, [N/A]\n';
  expect(processGpuBytes(table, 42)).toBe(1024 * MiB);
  for (const pid of [43, 44]) expect(processGpuBytes(table, pid)).toBeUndefined();
  expect(processGpuBytes('', 42)).toBeUndefined();
});
