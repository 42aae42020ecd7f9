import { chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError } from './file-error.ts';
import { findWriteError, isDiskFull, writeErrorHint } from './folders.ts';

export interface LockOptions {
  /** How long it waits for another holder. */
  readonly timeoutMs?: number;
  /** Called once if there is another holder. */
  readonly onWait?: () => void;
}

/**
 * Runs `action` while holding the lock `file`.
 *
 * Node has no file locks, so this locks an empty SQLite database, which uses a lock of the kernel. The kernel
 * releases it when its process ends, so there are no stale locks, and it works between containers. The file is never
 * removed: otherwise two processes could lock two files of the same name.
 */
export async function withFileLock<T>(
  file: string,
  action: () => Promise<T>,
  { timeoutMs = 120_000, onWait = () => {} }: LockOptions = {},
): Promise<T> {
  using lock = openLock(file);
  const start = performance.now();
  for (let attempt = 1; !tryLock(lock, file); attempt += 1) {
    if (attempt === 1) onWait();
    const waited = performance.now() - start;
    if (waited > timeoutMs) {
      throw new FileError(
        `another process has held the lock ${file} for ${timeoutMs / 1000} s: stop it and try again`,
      );
    }
    await sleep(pause(waited));
  }
  return await action();
}

/** Backs off, so that many waiting processes do not slow down the holder. */
function pause(waitedMs: number): number {
  return (0.5 + Math.random()) * Math.min(500, 5 + waitedMs / 5);
}

function openLock(file: string): DatabaseSync {
  try {
    const lock = new DatabaseSync(file, { timeout: 0 });
    leaveToOwnerOfFolder(file);
    return lock;
  } catch (error) {
    throw new FileError(`cannot open the lock ${file}: check that its directory exists and is writable`, {
      cause: error,
    });
  }
}

/** Later the owner of the folder must be able to lock a file that root has created. */
function leaveToOwnerOfFolder(file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(file, uid, gid);
}

const busy = 5;
const readOnly = 8;
const noDatabase = 26;
/** SQLite's extended codes for a kernel or network volume without working file locks. */
const lockFailures = new Set([2058, 2314, 3594, 3850]);
const noLargeFiles = 22;

function tryLock(lock: DatabaseSync, file: string): boolean {
  try {
    lock.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ((code & 0xff) === busy) return false;
    throw new FileError(`cannot lock ${file}: ${lockFailureReason(code, file)}`, { cause: error });
  }
}

/** The low byte of an SQLite error is its kind, the rest its subtype. */
function lockFailureReason(code: number, file: string): string {
  if ((code & 0xff) === readOnly) return 'no write permission';
  if ((code & 0xff) === noDatabase) return 'it is not a lock file of llama-corral; remove it';
  const trouble = findWriteError(dirname(file));
  if (trouble !== undefined)
    return isDiskFull(trouble) ? 'the disk is full; free some space' : writeErrorHint(trouble);
  if (lockFailures.has(code) || (code & 0xff) === noLargeFiles)
    return 'the volume does not support file locks';
  return `I/O error (SQLite error ${code})`;
}
