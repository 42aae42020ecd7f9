import { fingerprint } from './fingerprint.ts';
import { type Key, plainKey } from './key.ts';
import { hintOf, mintSecret } from './mint.ts';

export interface MintedKey {
  readonly key: Key;
  /** To be shown once and then forgotten. */
  readonly secret: string;
}

export type KeyWishes = Partial<Omit<Key, 'id' | 'fingerprint' | 'hint' | 'created' | 'previous'>>;

export function newKey(id: string, wishes: KeyWishes, now: number): MintedKey {
  const secret = mintSecret();
  const key = {
    ...plainKey,
    ...wishes,
    id,
    fingerprint: fingerprint(secret),
    hint: hintOf(secret),
    created: now,
  };
  return { key, secret };
}
