import type { Stats } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyFileError } from './key.ts';

/**
 * Puts `text` in the place of what `file` holds, so that readers and crashes find the old or the new text, never a
 * part. It is first written to `next`, which must lie in the same folder and be nobody else's. Mode and, for root, the
 * owner stay as they are; a new file has mode 0600 and, for root, the owner of its folder.
 */
export async function replaceFile(file: string, next: string, text: string): Promise<void> {
  const old = await stat(file).catch(() => undefined);
  await rm(next, { force: true });
  await using handle = await open(next, 'wx', 0o600);
  await dressLike(handle, old, await stat(dirname(file)));
  await handle.writeFile(text);
  await handle.sync();
  await rename(next, file).catch(explainBusy);
  await syncFolder(dirname(file));
}

async function dressLike(handle: FileHandle, old: Stats | undefined, folder: Stats): Promise<void> {
  const { uid, gid } = old ?? folder;
  if (process.getuid?.() === 0) await handle.chown(uid, gid);
  if (old) await handle.chmod(old.mode & 0o777);
}

/** Without this the rename itself may be lost with the power. Some network volumes refuse it; they keep their own order. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync().catch(() => undefined);
}

function explainBusy(error: NodeJS.ErrnoException): never {
  if (error.code !== 'EBUSY') throw error;
  throw new KeyFileError('cannot be replaced because it is a mount point: mount its directory instead', {
    cause: error,
  });
}
