import type { Stats } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces the content of `file` atomically: a reader, or a crash, finds the old or the new text, never a part of it. The
 * text is first written to `next`, a temporary file in the same folder. The mode and, for root, the owner are kept; a new
 * file gets mode 0600 and, for root, the owner of its folder. Throws EBUSY if `file` is a mount point.
 */
export async function replaceFile(file: string, next: string, text: string): Promise<void> {
  const old = await stat(file).catch(() => undefined);
  await rm(next, { force: true });
  await using handle = await open(next, 'wx', 0o600);
  await copyOwnerAndMode(handle, old, await stat(dirname(file)));
  await handle.writeFile(text);
  await handle.sync();
  await rename(next, file);
  await syncFolder(dirname(file));
}

async function copyOwnerAndMode(handle: FileHandle, old: Stats | undefined, folder: Stats): Promise<void> {
  const { uid, gid } = old ?? folder;
  if (process.getuid?.() === 0) await handle.chown(uid, gid);
  if (old) await handle.chmod(old.mode & 0o777);
}

/** Makes the rename survive a power failure. Some network volumes do not support it. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync().catch(() => undefined);
}
