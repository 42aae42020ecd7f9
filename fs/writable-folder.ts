import { randomUUID } from 'node:crypto';
import { accessSync, constants, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './make-folder.ts';

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
