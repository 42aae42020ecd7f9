import { formatKeysJson } from '../../keys/keys-json.ts';
import { createKey, fingerprint, type NewKeyOptions } from '../../keys/secret.ts';

/** The text of a `keys.json` with a key for each id, with the given secrets. */
export function keyFileText(keys: Readonly<Record<string, NewKeyOptions & { secret: string }>>): string {
  const created = Object.entries(keys).map(([id, { secret, ...options }]) => ({
    ...createKey(id, options, Date.now()).key,
    fingerprint: fingerprint(secret),
  }));
  return formatKeysJson({ keys: created, extraFields: {} });
}
