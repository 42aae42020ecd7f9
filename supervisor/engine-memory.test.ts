import { expect, it } from 'vitest';
import { measureMemory, residentBytes } from './engine-memory.ts';

const MiB = 1024 ** 2;

it('the memory of a process is what it has in the memory of the machine', async () => {
  expect(residentBytes('VmPeak:\t 9 kB\nVmRSS:\t    2048 kB\n')).toBe(2 * MiB);
  expect(residentBytes('')).toBeUndefined();
  expect(await measureMemory(process.pid, 'machine', '/nowhere')).toBeGreaterThan(10 * MiB);
  expect(await measureMemory(process.pid, 'gpu', '/nowhere')).toBeUndefined();
});
