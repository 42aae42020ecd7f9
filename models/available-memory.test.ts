import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { availableMemory } from './available-memory.ts';

const meminfo = 'MemTotal:       32000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n';
const unified = (folder: string, max: string, current: number, inactive = 0) => ({
  [`sys/fs/cgroup${folder}/memory.max`]: `${max}\n`,
  [`sys/fs/cgroup${folder}/memory.current`]: `${current}\n`,
  [`sys/fs/cgroup${folder}/memory.stat`]: `anon 5\ninactive_file ${inactive}\n`,
});
const legacy = (folder: string, limit: string, used: number, inactive: number) => ({
  [`sys/fs/cgroup/memory${folder}/memory.limit_in_bytes`]: `${limit}\n`,
  [`sys/fs/cgroup/memory${folder}/memory.usage_in_bytes`]: `${used}\n`,
  [`sys/fs/cgroup/memory${folder}/memory.stat`]: `inactive_file 1\ntotal_inactive_file ${inactive}\n`,
});

it.each<[string, Readonly<Record<string, string>>, number | undefined]>([
  ['what the machine has available', { 'proc/meminfo': meminfo }, 8_192_000],
  [
    'what the container leaves, including the page cache',
    { 'proc/meminfo': meminfo, 'proc/self/cgroup': '0::/\n', ...unified('', '5000000', 2_000_000, 500_000) },
    3_500_000,
  ],
  [
    'that of the machine, if the container has no limit',
    { 'proc/meminfo': meminfo, 'proc/self/cgroup': '0::/\n', ...unified('', 'max', 2_000_000) },
    8_192_000,
  ],
  [
    'that of the machine, if the limit of the container is higher',
    { 'proc/meminfo': meminfo, 'proc/self/cgroup': '0::/\n', ...unified('', '99000000', 2_000_000) },
    8_192_000,
  ],
  [
    'the lowest limit of a group and its parents',
    {
      'proc/self/cgroup': '0::/pod/box\n',
      ...unified('/pod/box', 'max', 100),
      ...unified('/pod', '700', 300),
    },
    400,
  ],
  ['nothing, if more is used than allowed', { ...unified('', '700', 900) }, 0],
  [
    'what a container with version 1 cgroups leaves, whose path is of the machine',
    { 'proc/self/cgroup': '4:cpu,memory:/docker/x\n', ...legacy('', '9000', 4000, 500) },
    5500,
  ],
  [
    'that of the machine, with version 1 cgroups without a limit',
    { 'proc/meminfo': meminfo, ...legacy('', '9223372036854771712', 4000, 500) },
    8_192_000,
  ],
  ['unknown if nothing can be read', {}, undefined],
])('the available memory is %s', async (_, files, expected) => {
  await using root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(root.file(name)), { recursive: true });
    writeFileSync(root.file(name), text);
  }
  expect(availableMemory(root.path)).toBe(expected);
});

it('the available memory of this machine can be read', () => {
  expect(availableMemory()).toBeGreaterThan(0);
});
