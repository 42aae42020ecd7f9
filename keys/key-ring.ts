import type { Fingerprint, Key } from './key.ts';
import { fingerprint } from './secret.ts';

export type Authentication =
  | {
      readonly outcome: 'accepted';
      readonly key: Key;
      /** The client sent the secret from before the last rotation. */
      readonly previous: boolean;
    }
  | { readonly outcome: 'rejected'; readonly reason: 'unknown' }
  | { readonly outcome: 'rejected'; readonly reason: 'expired' | 'disabled'; readonly keyId: string };

interface Entry {
  readonly key: Key;
  /** Undefined for the current secret. */
  readonly validUntil: number | undefined;
}

/** An immutable set of keys. A reload creates a new ring; requests that hold the old one finish with it. */
export class KeyRing {
  readonly keys: readonly Key[];
  readonly #entries = new Map<Fingerprint, Entry>();

  /** If two keys share a secret, the first one wins. */
  constructor(keys: readonly Key[]) {
    this.keys = keys;
    for (const key of keys) this.#add(key.fingerprint, key, undefined);
    for (const key of keys) {
      if (key.previous) this.#add(key.previous.fingerprint, key, key.previous.validUntil);
    }
  }

  /**
   * Finds the key of a secret and checks whether it is valid at `now` (milliseconds). The lookup uses a hash, so its
   * timing reveals nothing about secrets.
   */
  authenticate(secret: string, now: number): Authentication {
    const entry = this.#entries.get(fingerprint(secret));
    if (!entry) return { outcome: 'rejected', reason: 'unknown' };
    const { key, validUntil } = entry;
    if (key.disabled) return { outcome: 'rejected', reason: 'disabled', keyId: key.id };
    if (now >= Math.min(key.expires ?? Infinity, validUntil ?? Infinity)) {
      return { outcome: 'rejected', reason: 'expired', keyId: key.id };
    }
    return { outcome: 'accepted', key, previous: validUntil !== undefined };
  }

  #add(digest: Fingerprint, key: Key, validUntil: number | undefined): void {
    if (!this.#entries.has(digest)) {
      this.#entries.set(digest, { key, validUntil });
    }
  }
}
