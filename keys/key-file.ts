import { withFileErrors } from '../fs/file-error.ts';
import { updateFile } from '../fs/update-file.ts';
import { permissionWarning, type Snapshot, takeSnapshot } from '../fs/watched-file.ts';
import { type Key, KeyFileError } from './key.ts';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { isKeysJson, type ParsedKeys, parseKeys } from './parse-keys.ts';
import { createKey } from './secret.ts';

/** Reads a key file in either format. A missing file has no keys. Throws a KeyFileError. */
export async function readKeyFile(file: string): Promise<ParsedKeys> {
  return withKeyFileErrors(file, async () => {
    const snapshot = await takeSnapshot(file);
    const read = await parseKeys(snapshot?.text ?? '');
    const warnings = read.warnings.map((warning) => `${file}: ${warning}`);
    return { keys: read.keys, warnings: [...warnings, ...modeWarnings(file, snapshot)] };
  });
}

/**
 * Rewrites the key file with the result of `change`. Writers take a lock, so `change` always gets the latest keys. If
 * it throws, or makes keys that could not be read, the file stays as it is. A missing folder is created. The warnings are
 * those that the change has caused. Throws a KeyFileError, also for a file in the format of llama-gguf-inference, which is
 * read-only.
 */
export async function updateKeyFile(
  file: string,
  change: (keys: readonly Key[]) => readonly Key[],
): Promise<ParsedKeys> {
  return withKeyFileErrors(file, async () => {
    let keys: readonly Key[] = [];
    let warnings: readonly string[] = [];
    const { path, before } = await updateFile(file, (text) => {
      const document = parseWritable(text);
      keys = change(document.keys);
      const changed = formatKeysJson({ ...document, keys });
      // A file that the gateway rejects would take away the effect of every later change, too.
      warnings = parseKeysJson(changed).warnings.filter((warning) => !document.warnings.includes(warning));
      return changed;
    });
    return {
      keys,
      warnings: [...warnings.map((warning) => `${path}: ${warning}`), ...modeWarnings(path, before)],
    };
  });
}

function parseWritable(text: string) {
  if (text.trim() === '') return { keys: [], extraFields: {}, warnings: [] };
  if (isKeysJson(text)) return parseKeysJson(text);
  throw new KeyFileError(
    'is in the format of llama-gguf-inference, which is read-only: ' + 'import it with "corral keys import"',
  );
}

function modeWarnings(file: string, snapshot: Snapshot | undefined): string[] {
  return [snapshot && permissionWarning(file, snapshot.mode)].filter((warning) => warning !== undefined);
}

const withKeyFileErrors = <T>(file: string, action: () => Promise<T>) =>
  withFileErrors(file, action, KeyFileError);

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
