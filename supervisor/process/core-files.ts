import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The size limit of a core file in bytes. Nothing fits into 1, so no file is written. Unlike 0, a limit of 1 also keeps the
 * kernel from passing the core to a collecting program.
 */
const NO_CORE = 1;

/**
 * From now on neither this process nor its children leave a core file when they crash: it would contain secrets and
 * prompts. Does nothing on systems without such a limit per process (macOS).
 */
export async function disableCoreFiles(warn: (message: string) => void): Promise<void> {
  if (process.platform !== 'linux') return;
  await setCoreLimit(NO_CORE);
  const limit = readCoreLimit('self');
  if (limit === NO_CORE || limit === 0) return;
  warn('a crash may leave a core file with secrets; install util-linux (prlimit), or set ulimit -c 0');
}

function setCoreLimit(bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // The caller checks the limit itself.
  execFile('prlimit', [`--core=${bytes}:${bytes}`, '--pid', String(process.pid)], () => resolve());
  return promise;
}

/** Bytes; infinite without a limit, undefined if it is unknown. */
export function readCoreLimit(pid: number | 'self'): number | undefined {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  const soft = /^Max core file size +(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
