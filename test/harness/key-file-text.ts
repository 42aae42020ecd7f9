import { formatKeysJson } from '../../keys/keys-json.ts';
import { createKey, fingerprint, type NewKeyOptions } from '../../keys/secret.ts';

/** The text of a `keys.json` with a key for each id, whose secret is of the test's choice. */
export function keyFileText(keys: Readonly<Record<string, NewKeyOptions & { secret: string }>>): string {
  const made = Object.entries(keys).map(([id, { secret, ...wishes }]) => ({
    ...createKey(id, wishes, Date.now()).key,
    fingerprint: fingerprint(secret),
  }));
  return formatKeysJson({ keys: made, extraFields: {} });
}
