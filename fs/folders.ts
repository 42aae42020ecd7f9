import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

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

/**
 * Why no file can be made in a folder: the error's code (EACCES, EROFS, ENOTDIR, ENOSPC …), or undefined where it can.
 * The folder is made where it is missing. It is tried rather than looked up: root may write everywhere by the rules, and
 * yet not below /proc or /sys, nor on a disk that is full.
 */
export function findWriteError(folder: string): string | undefined {
  try {
    makeFolder(folder);
    const trial = join(folder, `.corral-${randomUUID()}`);
    try {
      // A byte, as a full disk may have room for a name yet.
      writeFileSync(trial, '-', { flag: 'wx' });
    } finally {
      rmSync(trial, { force: true });
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** What to do about such a code, behind "… cannot be written (CODE): ". */
export function writeErrorHint(code: string): string {
  return ways[code] ?? 'choose another, or change its owner';
}

const noRoom = 'free some space, or choose another';
const ways: Readonly<Record<string, string>> = {
  EROFS: 'its volume is read-only; choose another, or mount it writable',
  ENOTDIR: 'a part of the path is a file; choose another',
  ENOENT: 'it cannot be created; choose another',
  ENOSPC: noRoom,
  EDQUOT: noRoom,
  ELOOP: 'its symbolic links form a loop; choose another',
  ENAMETOOLONG: 'its name is too long; choose another',
};

/** No file can be made, and yet what is there can be read and, perhaps, written. */
export function isDiskFull(code: string): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What the rights say, without a try: for choosing among folders. */
export function seemsWritable(folder: string): boolean {
  return canAccess(folder, constants.W_OK | constants.X_OK);
}

export function isReadable(path: string): boolean {
  return canAccess(path, constants.R_OK);
}

export function isExecutable(path: string): boolean {
  return canAccess(path, constants.X_OK);
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
