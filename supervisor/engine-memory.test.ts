import { expect, it } from 'vitest';
import { gpuBytes, measureMemory, residentBytes } from './engine-memory.ts';

const MiB = 1024 ** 2;

it('of a process on two GPUs is the sum', () => {
  const table = '41, 900\n42, 1000\n42, 24\n43, [N/A]\n';
  expect(gpuBytes(table, 42)).toBe(1024 * MiB);
  expect([gpuBytes(table, 43), gpuBytes(table, 44), gpuBytes('', 42)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('without a GPU is what the process has in memory', async () => {
  expect(residentBytes('VmPeak:\t 9 kB\nVmRSS:\t    2048 kB\n')).toBe(2 * MiB);
  expect(residentBytes('')).toBeUndefined();
  expect(await measureMemory(process.pid, '/nowhere/nvidia-smi')).toBeGreaterThan(10 * MiB);
});
