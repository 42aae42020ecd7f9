import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../fs/folders.ts';
import { replaceFile } from '../fs/replace-file.ts';
import { withFileLock } from './file-lock.ts';
import { type Key, KeyFileError } from './key.ts';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { isKeysJson, type ParsedKeys, parseKeys } from './parse-keys.ts';
import { createKey } from './secret.ts';
import { permissionWarning, type Snapshot, takeSnapshot } from './watched-file.ts';

/** Reads a key file in either format. A missing file has no keys. Throws a KeyFileError. */
export async function readKeyFile(file: string): Promise<ParsedKeys> {
  return withFileErrors(file, async () => {
    const snapshot = await takeSnapshot(file);
    const read = parseKeys(snapshot?.text ?? '');
    return { keys: read.keys, warnings: [...read.warnings, ...modeWarnings(file, snapshot)] };
  });
}

/**
 * Rewrites the key file with the result of `change`. Writers take a lock, so `change` always gets the latest keys. If
 * it throws, the file stays as it is. A missing folder is created. Throws a KeyFileError, also for a file in the
 * format of llama-gguf-inference, which is read-only.
 */
export async function updateKeyFile(
  file: string,
  change: (keys: readonly Key[]) => readonly Key[],
): Promise<ParsedKeys> {
  return withFileErrors(file, async () => {
    makeFolder(dirname(file), 0o700);
    const target = await realpath(file).catch(() => file);
    const beside = (ending: string) => join(dirname(target), `.${basename(target)}.${ending}`);
    return withFileLock(beside('lock'), async () => {
      const snapshot = await takeSnapshot(target);
      const document = parseWritable(snapshot?.text ?? '');
      const keys = change(document.keys);
      const text = formatKeysJson({ ...document, keys });
      if (text !== snapshot?.text) await replaceFile(target, beside('next'), text);
      return { keys, warnings: modeWarnings(target, snapshot) };
    });
  });
}

function parseWritable(text: string) {
  if (text.trim() === '') return { keys: [], extraFields: {} };
  if (isKeysJson(text)) return parseKeysJson(text);
  throw new KeyFileError(
    'is in the format of llama-gguf-inference, which is read-only: ' + 'import it with "corral keys import"',
  );
}

function modeWarnings(file: string, snapshot: Snapshot | undefined): string[] {
  return [snapshot && permissionWarning(file, snapshot.mode)].filter((warning) => warning !== undefined);
}

const causes: Record<string, string> = {
  EACCES: 'permission denied: run this as the owner of the file',
  EPERM: 'permission denied: run this as the owner of the file',
  EROFS: 'the volume is read-only: change the keys at their source',
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'disk quota exceeded: free some space',
  EBUSY: 'cannot be replaced because it is a mount point: mount its directory instead',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'a part of its path is a file, not a directory',
  ENOENT: 'its directory does not exist and cannot be created',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'its name is too long',
};

/** Turns every failure of the file system or the content into a KeyFileError that names the file. */
async function withFileErrors<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof KeyFileError) && code === undefined) throw error;
    throw new KeyFileError(`${file}: ${causes[code ?? ''] ?? message}`, { cause: error });
  }
}

export interface FirstSecret {
  readonly id: string;
  readonly secret: string;
}

/**
 * Creates a key named `default` if the file has no keys; returns undefined if it has some. If several processes try
 * at once, one of them creates it. `show` is called before the key is written: even after a crash, the secret of
 * every key in the file has been shown. Throws a KeyFileError.
 */
export async function ensureFirstKey(
  file: string,
  show: (first: FirstSecret) => void,
): Promise<FirstSecret | undefined> {
  if ((await readKeyFile(file)).keys.length > 0) return undefined;
  const { key, secret } = createKey('default', { note: 'created at the first start' }, Date.now());
  const first = { id: key.id, secret };
  const { keys } = await updateKeyFile(file, (there) => {
    if (there.length > 0) return there;
    show(first);
    return [key];
  });
  return keys.includes(key) ? first : undefined;
}
