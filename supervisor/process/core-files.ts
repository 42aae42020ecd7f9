import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The limit on a core file, in bytes. Nothing fits into one, so no file is made; and of 1 alone the kernel hands nothing
 * to a program of the machine that collects cores either, which 0 does not prevent.
 */
const NO_CORE = 1;

/**
 * From now on neither this process nor any that it starts leaves a core file when it crashes: it would hold secrets and
 * prompts. Does nothing where the system has no such limit of one process (macOS).
 */
export async function disableCoreFiles(warn: (words: string) => void): Promise<void> {
  if (process.platform !== 'linux') return;
  await setCoreLimit(NO_CORE);
  const limit = readCoreLimit('self');
  if (limit === NO_CORE || limit === 0) return;
  warn(
    'a crash may leave a core file, which holds secrets: install util-linux (prlimit), or set ulimit -c 0',
  );
}

function setCoreLimit(bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // What comes of it is seen in the limit itself.
  execFile('prlimit', [`--core=${bytes}:${bytes}`, '--pid', String(process.pid)], () => resolve());
  return promise;
}

/** Bytes; infinite where there is no limit, undefined where it cannot be told. */
export function readCoreLimit(pid: number | 'self'): number | undefined {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  const soft = /^Max core file size +(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
