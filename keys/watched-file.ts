import { type FSWatcher, readFileSync, type Stats, statSync, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { KeyFileError } from './key.ts';

/** What a file held at one moment; undefined where there was none. */
export interface Snapshot {
  readonly text: string;
  readonly mode: number;
}

export function takeSnapshotSync(file: string): Snapshot | undefined {
  try {
    const { mode } = plainFile(statSync(file));
    return { text: strip(readFileSync(file, 'utf8')), mode };
  } catch (error) {
    return undefinedIfMissing(error);
  }
}

/** Reads again while the file changes under the reading, so that a writer in mid-write is not taken for a short file. */
export async function takeSnapshot(file: string): Promise<Snapshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const before = await fileSignature(file);
      const { mode } = plainFile(await stat(file));
      const text = strip(await readFile(file, 'utf8'));
      if (before === (await fileSignature(file)) || attempt === 5) return { text, mode };
    } catch (error) {
      return undefinedIfMissing(error);
    }
  }
}

/** Changes with every way of changing the file: writing, renaming over it, swapping a symlink on the way to it. */
export async function fileSignature(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return codeOf(error);
  }
}

/** A sentence where others than the owner may read the file. */
export function permissionWarning(file: string, mode: number): string | undefined {
  if ((mode & 0o077) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `${file} has mode ${shown} and is readable by others: chmod 600 ${file}`;
}

/** To read a pipe would be to wait for whoever writes it, and to read a device may have no end. */
function plainFile(stats: Stats): Stats {
  if (stats.isFile()) return stats;
  throw new KeyFileError(
    stats.isDirectory() ? 'is a directory, not a file' : 'is a pipe or device, not a file',
  );
}

function strip(text: string): string {
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
 * Calls `look` whenever the file stirs, and every `pollMs` besides, which sees what gives no events: network volumes, the
 * far end of a symlink, a folder that did not exist yet. What else is written in its folder, a log at each request perhaps,
 * calls nobody. Holds no process open.
 */
export function watchFile(file: string, look: () => void, pollMs = 500): FileWatch {
  const folder = watchFolder(file, look);
  const poll = setInterval(look, pollMs).unref();
  return {
    close() {
      clearInterval(poll);
      folder?.close();
    },
  };
}

function watchFolder(file: string, look: () => void): FSWatcher | undefined {
  const own = basename(file);
  // Kubernetes swaps a link named `..data` that the file's own leads through; some systems tell no name.
  const isOwn = (name: string | null) => name === null || name === own || name.startsWith('..');
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_, name) => isOwn(name) && look());
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
