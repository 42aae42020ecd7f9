import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * How many bytes of memory could be used without anybody being killed for it: what the machine has available, or what the
 * cgroups that we are in still allow, whichever is less. What files hold in memory counts as available, as the kernel gives
 * it back. Undefined where neither can be read.
 */
export function availableMemory(root = '/'): number | undefined {
  const read = (path: string) => readText(join(root, path));
  const groups = read('proc/self/cgroup') ?? '';
  const unified = /^0::(\S*)$/m.exec(groups)?.[1];
  const legacy = /^\d+:(?:[\w,]+,)?memory(?:,[\w,]+)?:(\S*)$/m.exec(groups)?.[1];
  const rooms = [
    availableIn(read('proc/meminfo')),
    ...ancestorsOf(unified ?? '/').map((group) =>
      leftInUnified((file) => read(`sys/fs/cgroup${group}/${file}`)),
    ),
    ...ancestorsOf(legacy ?? '/').map((group) =>
      leftInLegacy((file) => read(`sys/fs/cgroup/memory${group}/${file}`)),
    ),
  ].filter((room) => room !== undefined);
  return rooms.length === 0 ? undefined : Math.max(0, Math.min(...rooms));
}

type ReadFile = (file: string) => string | undefined;

/** A group, and all that it is in: the least that any of them leaves holds. */
function ancestorsOf(group: string): readonly string[] {
  return group === '/' || group === '' ? [''] : [group, ...ancestorsOf(dirname(group))];
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

/** Undefined without a limit: v2 says `max` then, v1 a number beyond all memory. */
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
