import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { includesArgument } from './extra-arguments.ts';

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

const MiB = 1024 ** 2;

/** The limit of llama-server's prompt cache by default, in MiB. */
const defaultMiB = 8192;

export interface PromptCacheOptions {
  readonly extraArgs: readonly string[];
  /** Bytes; undefined if unknown. */
  readonly availableMemory: number | undefined;
  /** The size of the model file; 0 if there is none yet. */
  readonly modelBytes: number;
}

/**
 * The limit of the prompt cache in MiB; undefined leaves it to llama-server, which does not read the container's limit and
 * would be killed at it. A quarter of what the model leaves, but at least a sixteenth of all, because a model on the GPU
 * needs little memory.
 */
export function promptCacheMiB({
  extraArgs,
  availableMemory,
  modelBytes,
}: PromptCacheOptions): number | undefined {
  if (availableMemory === undefined || includesArgument(extraArgs, ['-cram', '--cache-ram']))
    return undefined;
  const limitBytes = Math.max((availableMemory - modelBytes) / 4, availableMemory / 16);
  const limitMiB = Math.floor(limitBytes / MiB);
  return limitMiB < defaultMiB ? limitMiB : undefined;
}
