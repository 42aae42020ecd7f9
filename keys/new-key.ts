import { fingerprint } from './fingerprint.ts';
import { type Key, keyDefaults } from './key.ts';
import { mintSecret, secretHint } from './mint.ts';

export interface MintedKey {
  readonly key: Key;
  /** To be shown once and then forgotten. */
  readonly secret: string;
}

export type NewKeyOptions = Partial<Omit<Key, 'id' | 'fingerprint' | 'hint' | 'created' | 'previous'>>;

export function createKey(id: string, wishes: NewKeyOptions, now: number): MintedKey {
  const secret = mintSecret();
  const key = {
    ...keyDefaults,
    ...wishes,
    id,
    fingerprint: fingerprint(secret),
    hint: secretHint(secret),
    created: now,
  };
  return { key, secret };
}
