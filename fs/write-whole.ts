import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat } from 'node:fs/promises';

/**
 * Lets `write` write to the path that it gets, so that the file is there whole or not at all. What is no file, such as a pipe
 * or `/dev/null`, is not replaced but written to, and a symbolic link still points at its file.
 */
export async function writeWhole(path: string, write: (target: string) => Promise<void>): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old !== undefined && !old.isFile()) return write(path);
  const file = await realpath(path).catch(() => path);
  const part = `${file}.${randomUUID()}.part`;
  try {
    await write(part);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}
