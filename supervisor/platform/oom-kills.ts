import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How many processes the kernel has killed for want of memory: of our cgroup (v2, else v1), or of the whole machine
 * where the cgroup does not tell. Undefined where none of them can be read. A cgroup counts kills for want of the
 * machine's memory, too.
 */
export function countOomKills(root = '/'): number | undefined {
  const read = (path: string) => counterIn(readText(join(root, path)));
  const groups = readText(join(root, 'proc/self/cgroup')) ?? '';
  const unified = /^0::(\S*)$/m.exec(groups)?.[1] ?? '';
  const legacy = /^\d+:memory:(\S*)$/m.exec(groups)?.[1] ?? '';
  // In a container without a namespace of its own for cgroups the path is the host's, and the mount our group itself.
  return (
    read(`sys/fs/cgroup${unified}/memory.events`) ??
    read('sys/fs/cgroup/memory.events') ??
    read(`sys/fs/cgroup/memory${legacy}/memory.oom_control`) ??
    read('sys/fs/cgroup/memory/memory.oom_control') ??
    read('proc/vmstat')
  );
}

/** Whether there was a kill between two counts. */
export function wasOomKill(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && after > before;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function counterIn(text: string | undefined): number | undefined {
  const count = text === undefined ? undefined : /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}
