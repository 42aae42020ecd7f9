import { chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { findWriteError, isDiskFull, writeErrorHint } from '../fs/folders.ts';
import { KeyFileError } from './key.ts';

/**
 * Runs `action` while holding the lock that `file` stands for; waits up to `patienceMs` for whoever has it.
 *
 * The lock is the kernel's, taken on an empty SQLite database, as Node offers no other: it goes with the process that
 * holds it however that ends, so that there is no stale lock to judge, and it holds between containers, where process
 * ids mean nothing. The file stays, as removing it would let two holders lock two files of one name.
 */
export async function withFileLock<T>(
  file: string,
  action: () => Promise<T>,
  patienceMs = 120_000,
): Promise<T> {
  using lock = openLock(file);
  const start = performance.now();
  while (!tryLock(lock, file)) {
    const waited = performance.now() - start;
    if (waited > patienceMs) {
      throw new KeyFileError(
        `another process has held the lock ${file} for ${patienceMs / 1000} s: stop it and try again`,
      );
    }
    await sleep(pause(waited));
  }
  return await action();
}

/** Longer the longer it took so far, or a crowd that waits would leave the holder no processor to finish on. */
function pause(waitedMs: number): number {
  return (0.5 + Math.random()) * Math.min(500, 5 + waitedMs / 5);
}

function openLock(file: string): DatabaseSync {
  try {
    const lock = new DatabaseSync(file, { timeout: 0 });
    leaveToOwnerOfFolder(file);
    return lock;
  } catch (error) {
    throw new KeyFileError(`cannot open the lock ${file}: check that its directory exists and is writable`, {
      cause: error,
    });
  }
}

/** What root locked once, the owner must be able to lock later. */
function leaveToOwnerOfFolder(file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(file, uid, gid);
}

const busy = 5;
const readOnly = 8;
const noDatabase = 26;
/** How SQLite says that the kernel, or a network volume, does not lock: of its finer grains of a failure of input or output. */
const lockFailures = new Set([2058, 2314, 3594, 3850]);
const noLargeFiles = 22;

function tryLock(lock: DatabaseSync, file: string): boolean {
  try {
    lock.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ((code & 0xff) === busy) return false;
    throw new KeyFileError(`cannot lock ${file}: ${whyNoLock(code, file)}`, { cause: error });
  }
}

/** The low byte is the kind of error, the rest its finer grain. */
function whyNoLock(code: number, file: string): string {
  if ((code & 0xff) === readOnly) return 'no write permission';
  if ((code & 0xff) === noDatabase) return 'it is not a lock file of llama-corral; remove it';
  const trouble = findWriteError(dirname(file));
  if (trouble !== undefined)
    return isDiskFull(trouble) ? 'the disk is full; free some space' : writeErrorHint(trouble);
  if (lockFailures.has(code) || (code & 0xff) === noLargeFiles)
    return 'the volume does not support file locks';
  return `I/O error (SQLite error ${code})`;
}
