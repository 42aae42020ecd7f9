import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The number of processes that the OOM killer has killed: in our cgroup (v2, else v1), or on the whole machine if the
 * cgroup has no counter. Undefined if none can be read. A cgroup also counts kills caused by the machine's memory.
 */
export function countOomKills(root = '/'): number | undefined {
  const read = (path: string) => counterIn(readText(join(root, path)));
  const groups = readText(join(root, 'proc/self/cgroup')) ?? '';
  const unified = /^0::(\S*)$/m.exec(groups)?.[1] ?? '';
  const legacy = /^\d+:memory:(\S*)$/m.exec(groups)?.[1] ?? '';
  // In a container without its own cgroup namespace the path is the host's, and the mount is our group.
  return (
    read(`sys/fs/cgroup${unified}/memory.events`) ??
    read('sys/fs/cgroup/memory.events') ??
    read(`sys/fs/cgroup/memory${legacy}/memory.oom_control`) ??
    read('sys/fs/cgroup/memory/memory.oom_control') ??
    read('proc/vmstat')
  );
}

/** Whether a process was killed between two counts. */
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
