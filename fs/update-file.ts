import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from './file-lock.ts';
import { makeFolder } from './folders.ts';
import { replaceFile } from './replace-file.ts';
import { type Snapshot, takeSnapshot } from './watched-file.ts';

/** The file behind all links, and its content before the update; undefined if it did not exist. */
interface UpdatedFile {
  readonly path: string;
  readonly before: Snapshot | undefined;
}

/**
 * Replaces the text of a file with what `change` returns for it. Writers take a lock, so `change` always gets the latest
 * text; that of a missing file is empty. If `change` throws, the file stays as it is. A missing folder is created.
 */
export async function updateFile(file: string, change: (text: string) => string): Promise<UpdatedFile> {
  makeFolder(dirname(file), 0o700);
  const path = await realpath(file).catch(() => file);
  const beside = (ending: string) => join(dirname(path), `.${basename(path)}.${ending}`);
  return withFileLock(beside('lock'), async () => {
    const before = await takeSnapshot(path);
    const text = change(before?.text ?? '');
    if (text !== before?.text) await replaceFile(path, beside('next'), text);
    return { path, before };
  });
}
