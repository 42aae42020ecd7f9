import { chmodSync, chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

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
