import { fingerprint } from './fingerprint.ts';
import { type Fingerprint, type Key, KeyFileError } from './key.ts';
import { parseKeys } from './parse-keys.ts';
import { permissionWarning, type Snapshot } from './snapshot.ts';

/** The last good reading of the key file. */
export interface KeysOnDisk {
  readonly keys: readonly Key[];
  readonly warnings: readonly string[];
  /** Of the file's text, to know an unchanged one again; undefined where there is no file. */
  readonly digest: Fingerprint | undefined;
}

export const noKeysYet: KeysOnDisk = { keys: [], warnings: [], digest: undefined };

/**
 * What the file says now. Throws a KeyFileError for what must not replace the keys from `before`: a broken file, and
 * one that vanished or was emptied, as happens for a moment when it is replaced by hand.
 */
export function keysOnDisk(file: string, snapshot: Snapshot | undefined, before: KeysOnDisk): KeysOnDisk {
  if (!snapshot) {
    if (before.digest === undefined) return noKeysYet;
    throw new KeyFileError('is missing: restore it; the previous keys stay in use until then');
  }
  if (before.keys.length > 0 && snapshot.text.trim() === '') {
    throw new KeyFileError('is empty: to remove all keys, write {"version":1,"keys":[]}');
  }
  const { keys, warnings } = parseKeys(snapshot.text);
  const loose = permissionWarning(file, snapshot.mode);
  return { keys, warnings: loose ? [...warnings, loose] : warnings, digest: fingerprint(snapshot.text) };
}
