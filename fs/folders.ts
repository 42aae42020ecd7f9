import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * Creates a folder and its missing parents one by one, because Node's recursive mkdir never returns below `/proc`.
 * Throws the error of the file system, ENOTDIR if a file has the name. `mode` applies to the created folders.
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
    // Another process may have created it meanwhile.
    if (!isFolder(path)) throw error;
  }
}

/** Throws if a part of the path, or its end, is not a folder. */
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
 * Gives a file or folder the mode, and the owner of the folder that it is in: the service must be able to use what root
 * has created.
 */
export function makePrivate(path: string, mode: 0o600 | 0o700): void {
  if ((statSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
}

/**
 * The error code (EACCES, EROFS, ENOTDIR, ENOSPC …) if no file can be created in a folder, else undefined. A missing
 * folder is created. This writes a file, because permissions are not enough: root may write everywhere, but not below
 * /proc or /sys, nor on a full disk.
 */
export function findWriteError(folder: string): string | undefined {
  try {
    makeFolder(folder);
    const testFile = join(folder, `.corral-${randomUUID()}`);
    try {
      // Write a byte: a full disk may still have room for a file name.
      writeFileSync(testFile, '-', { flag: 'wx' });
    } finally {
      rmSync(testFile, { force: true });
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** How to fix such an error, for messages of the form "… cannot be written (CODE): ". */
export function writeErrorHint(code: string): string {
  return hints[code] ?? 'choose another, or change its owner';
}

const noSpaceHint = 'free some space, or choose another';
const hints: Readonly<Record<string, string>> = {
  EROFS: 'its volume is read-only; choose another, or mount it writable',
  ENOTDIR: 'a part of the path is a file; choose another',
  ENOENT: 'it cannot be created; choose another',
  ENOSPC: noSpaceHint,
  EDQUOT: noSpaceHint,
  ELOOP: 'its symbolic links form a loop; choose another',
  ENAMETOOLONG: 'its name is too long; choose another',
};

/** No file can be created, but existing files may be readable and writable. */
export function isDiskFull(code: string): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Checks permissions only, to choose among folders. */
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
