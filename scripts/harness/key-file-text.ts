import { fingerprint } from '../../keys/fingerprint.ts';
import { showKeysJson } from '../../keys/keys-json.ts';
import { type KeyWishes, newKey } from '../../keys/new-key.ts';

/** The text of a `keys.json` with a key for each id, whose secret is of the test's choice. */
export function keyFileText(keys: Readonly<Record<string, KeyWishes & { secret: string }>>): string {
  const made = Object.entries(keys).map(([id, { secret, ...wishes }]) => ({
    ...newKey(id, wishes, Date.now()).key,
    fingerprint: fingerprint(secret),
  }));
  return showKeysJson({ keys: made, further: {} });
}
