import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { countOomKills, wasOomKill } from './oom-kills.ts';

/** The kernel's files as a machine would show them. */
async function machine(files: Readonly<Record<string, string>>) {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(root.file(name)), { recursive: true });
    writeFileSync(root.file(name), text);
  }
  return root;
}

describe('OOM kills are counted', () => {
  it.each([
    [
      'in our cgroup',
      { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/b/memory.events': 'oom 3\noom_kill 2\n' },
      2,
    ],
    ['in a container', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.events': 'oom_kill 4\n' }, 4],
    [
      'in a cgroup of version 1',
      {
        'proc/self/cgroup': '9:name=systemd:/\n4:memory:/x\n0::/\n',
        'sys/fs/cgroup/memory/x/memory.oom_control': 'under_oom 0\noom_kill 5\n',
        'proc/vmstat': 'oom_kill 99\n',
      },
      5,
    ],
    ['on the machine, if no cgroup has a counter', { 'proc/vmstat': 'nr_free_pages 1\noom_kill 7\n' }, 7],
    ['not at all without any counter', {}, undefined],
  ])('%s', async (_, files, count) => {
    await using root = await machine(files);
    expect(countOomKills(root.path)).toBe(count);
  });

  it('only a higher count is a kill', () => {
    expect([wasOomKill(2, 3), wasOomKill(2, 2), wasOomKill(undefined, 3), wasOomKill(2, undefined)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
