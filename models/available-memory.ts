import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The bytes of memory that can be used without triggering the OOM killer: what the machine has available, or what our
 * cgroups still allow, whichever is less. The page cache counts as available, because the kernel frees it. Undefined if
 * neither can be read.
 */
export function availableMemory(root = '/'): number | undefined {
  const read = (path: string) => readText(join(root, path));
  const groups = read('proc/self/cgroup') ?? '';
  const unified = /^0::(\S*)$/m.exec(groups)?.[1];
  const legacy = /^\d+:(?:[\w,]+,)?memory(?:,[\w,]+)?:(\S*)$/m.exec(groups)?.[1];
  const limits = [
    availableIn(read('proc/meminfo')),
    ...withParents(unified ?? '/').map((group) =>
      leftInUnified((file) => read(`sys/fs/cgroup${group}/${file}`)),
    ),
    ...withParents(legacy ?? '/').map((group) =>
      leftInLegacy((file) => read(`sys/fs/cgroup/memory${group}/${file}`)),
    ),
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits));
}

type ReadFile = (file: string) => string | undefined;

/** A group and its parents: the lowest limit applies. */
function withParents(group: string): readonly string[] {
  return group === '/' || group === '' ? [''] : [group, ...withParents(dirname(group))];
}

function availableIn(meminfo: string | undefined): number | undefined {
  const kibibytes = /^MemAvailable: +(\d+) kB$/m.exec(meminfo ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

function leftInUnified(read: ReadFile): number | undefined {
  return left(read('memory.max'), read('memory.current'), counterIn(read('memory.stat'), 'inactive_file'));
}

function leftInLegacy(read: ReadFile): number | undefined {
  return left(
    read('memory.limit_in_bytes'),
    read('memory.usage_in_bytes'),
    counterIn(read('memory.stat'), 'total_inactive_file'),
  );
}

/** Undefined without a limit: version 2 shows `max` then, version 1 a number beyond all memory. */
function left(limit: string | undefined, used: string | undefined, reclaimable: number): number | undefined {
  const [most, now] = [Number(limit), Number(used)];
  return limit === undefined || used === undefined || !Number.isFinite(most) || !Number.isFinite(now)
    ? undefined
    : most - now + reclaimable;
}

function counterIn(stat: string | undefined, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat ?? '')?.[1] ?? 0);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}
