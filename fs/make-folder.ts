import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and the missing ones above it, one by one: below `/proc` Node's recursive mkdir never returns. Throws
 * the file system's error, ENOTDIR where something else has the name. `mode` is that of the folders it makes.
 */
export function makeFolder(path: string, mode?: number): void {
  makeAbsolute(resolve(path), mode);
}

function makeAbsolute(path: string, mode: number | undefined): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeAbsolute(parent, mode);
  try {
    mkdirSync(path, mode === undefined ? {} : { mode });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw error;
  }
}

/** Throws where the path leads through, or to, something that is no folder. */
function isFolder(path: string): boolean {
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if (stats.isDirectory()) return true;
  throw Object.assign(new Error(`ENOTDIR: not a directory, '${path}'`), { code: 'ENOTDIR', path });
}
