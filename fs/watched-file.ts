import { type FSWatcher, readFileSync, type Stats, statSync, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { FileError } from './file-error.ts';

/** The content of a file at one moment. */
export interface Snapshot {
  readonly text: string;
  readonly mode: number;
}

export function takeSnapshotSync(file: string): Snapshot | undefined {
  try {
    const { mode } = requireRegularFile(statSync(file));
    return { text: removeByteOrderMark(readFileSync(file, 'utf8')), mode };
  } catch (error) {
    return undefinedIfMissing(error);
  }
}

/** Reads again if the file has changed meanwhile, so that a half-written file is not taken for a complete one. */
export async function takeSnapshot(file: string): Promise<Snapshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const before = await fileSignature(file);
      const { mode } = requireRegularFile(await stat(file));
      const text = removeByteOrderMark(await readFile(file, 'utf8'));
      if (before === (await fileSignature(file)) || attempt === 5) return { text, mode };
    } catch (error) {
      return undefinedIfMissing(error);
    }
  }
}

/** Changes whenever the file changes in any way: a write, a rename over it, a swapped symlink in its path. */
export async function fileSignature(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return codeOf(error);
  }
}

/** A warning if others than the owner may read the file. */
export function permissionWarning(file: string, mode: number): string | undefined {
  if ((mode & 0o077) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `${file} has mode ${shown} and is readable by others: chmod 600 ${file}`;
}

/** Reading a pipe would block, and reading a device may never end. */
function requireRegularFile(stats: Stats): Stats {
  if (stats.isFile()) return stats;
  throw new FileError(stats.isDirectory() ? 'is a directory, not a file' : 'is a pipe or device, not a file');
}

function removeByteOrderMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

export interface FileWatch {
  close(): void;
}

/**
 * Calls `check` when the file changes, and every `pollMs` for changes that cause no event: on network volumes, at the
 * far end of a symlink, in a folder that did not exist. Ignores other files of the folder. Does not keep the process
 * alive.
 */
export function watchFile(file: string, check: () => void, pollMs = 500): FileWatch {
  const folder = watchFolder(file, check);
  const poll = setInterval(check, pollMs).unref();
  return {
    close() {
      clearInterval(poll);
      folder?.close();
    },
  };
}

function watchFolder(file: string, check: () => void): FSWatcher | undefined {
  const own = basename(file);
  // Kubernetes swaps a symlink `..data` in the path of the file. Some systems report no name.
  const isOwn = (name: string | null) => name === null || name === own || name.startsWith('..');
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_, name) => isOwn(name) && check());
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
