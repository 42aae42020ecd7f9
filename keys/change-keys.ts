import { distance } from 'fastest-levenshtein';
import type { Key } from './key.ts';

/** A change that the current keys do not allow. The message includes the fix. */
class KeyChangeError extends Error {
  override readonly name = 'KeyChangeError';
}

type Keys = readonly Key[];

export function addKey(keys: Keys, key: Key): Keys {
  if (keys.some(({ id }) => id === key.id)) {
    throw new KeyChangeError(
      `key "${key.id}" already exists: choose another id, or replace its secret with "corral keys rotate ${key.id}"`,
    );
  }
  return [...keys, key];
}

export function changeKey(keys: Keys, id: string, change: (key: Key) => Key): Keys {
  const wanted = findKey(keys, id);
  return keys.map((key) => (key === wanted ? change(key) : key));
}

export function removeKey(keys: Keys, id: string): Keys {
  const wanted = findKey(keys, id);
  return keys.filter((key) => key !== wanted);
}

/** How long the old secret stays valid, ms. `cutOff`: not at all, and its running requests end. */
type Overlap = number | 'cutOff';

/** Gives the key the secret of `minted`. A secret from an earlier rotation ends now. */
export function rotateKey(key: Key, minted: Key, overlap: Overlap, now: number): Key {
  const { fingerprint, hint, created } = minted;
  const previous =
    overlap !== 'cutOff' && overlap > 0 ? { fingerprint: key.fingerprint, validUntil: now + overlap } : null;
  const cutOff = overlap === 'cutOff' || (key.disabled && key.cutOff);
  return { ...key, fingerprint, hint, created, previous, cutOff };
}

/** Throws a KeyChangeError that suggests the most similar id. */
export function findKey(keys: Keys, id: string): Key {
  const found = keys.find((key) => key.id === id);
  if (found) return found;
  if (keys.length === 0) {
    throw new KeyChangeError(`no key "${id}" (there are no keys): create it with "corral keys create ${id}"`);
  }
  const ids = keys.map((key) => key.id).sort((a, b) => distance(a, id) - distance(b, id));
  const similar = ids.filter((other) => distance(other, id) <= Math.max(2, id.length / 3)).slice(0, 1);
  throw new KeyChangeError(
    `no key "${id}": ${similar.length > 0 ? `did you mean "${similar}"?` : '"corral keys list" lists all keys'}`,
  );
}
