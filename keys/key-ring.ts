import type { Fingerprint, Key } from './key.ts';
import { fingerprint } from './secret.ts';

export type Authentication =
  | {
      readonly outcome: 'accepted';
      readonly key: Key;
      /** The client sent the secret from before the last rotation. */
      readonly previous: boolean;
    }
  | { readonly outcome: 'refused'; readonly reason: 'unknown' }
  | { readonly outcome: 'refused'; readonly reason: 'expired' | 'disabled'; readonly keyId: string };

interface Entry {
  readonly key: Key;
  /** Undefined for the secret of today. */
  readonly validUntil: number | undefined;
}

/** The keys of one moment. Never changed: a reload makes a new ring, and whoever holds the old one finishes with it. */
export class KeyRing {
  readonly keys: readonly Key[];
  readonly #entries = new Map<Fingerprint, Entry>();

  /** Where two keys share a secret, the first has it. */
  constructor(keys: readonly Key[]) {
    this.keys = keys;
    for (const key of keys) this.#add(key.fingerprint, key, undefined);
    for (const key of keys) {
      if (key.previous) this.#add(key.previous.fingerprint, key, key.previous.validUntil);
    }
  }

  /**
   * Whose secret this is, and whether it works at `now` (milliseconds). The time it takes tells nothing of the
   * secrets: what is looked up is a hash, and a guesser cannot steer that.
   */
  authenticate(secret: string, now: number): Authentication {
    const entry = this.#entries.get(fingerprint(secret));
    if (!entry) return { outcome: 'refused', reason: 'unknown' };
    const { key, validUntil } = entry;
    if (key.disabled) return { outcome: 'refused', reason: 'disabled', keyId: key.id };
    if (now >= Math.min(key.expires ?? Infinity, validUntil ?? Infinity)) {
      return { outcome: 'refused', reason: 'expired', keyId: key.id };
    }
    return { outcome: 'accepted', key, previous: validUntil !== undefined };
  }

  #add(print: Fingerprint, key: Key, validUntil: number | undefined): void {
    if (!this.#entries.has(print)) {
      this.#entries.set(print, { key, validUntil });
    }
  }
}
