import type { Fingerprint, Key } from './key.ts';
import { fingerprintDigest, secretDigest } from './secret.ts';
import { keyAt, phasesOf } from './temporary-limits.ts';

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
  /** When the key expires, or its previous secret does. */
  readonly validUntil: number;
  /** What a request gets until then. */
  readonly accepted: Authentication;
  /** What it gets instead while temporary limits apply; undefined if there are none. */
  readonly phases: readonly AcceptedUntil[] | undefined;
}

interface AcceptedUntil {
  readonly until: number;
  readonly accepted: Authentication;
}

/** An immutable set of keys. A reload creates a new ring; requests that hold the old one finish with it. */
export class KeyRing {
  readonly keys: readonly Key[];
  /** By the digest of the secret. */
  readonly #entries = new Map<string, Entry>();
  readonly #byId = new Map<string, Key>();

  /** If two keys share a secret, the first one wins. */
  constructor(keys: readonly Key[]) {
    this.keys = keys;
    for (const key of keys) {
      this.#add(key.fingerprint, key, undefined);
      if (!this.#byId.has(key.id)) this.#byId.set(key.id, key);
    }
    for (const key of keys) {
      if (key.previous) this.#add(key.previous.fingerprint, key, key.previous.validUntil);
    }
  }

  /**
   * Finds the key of a secret and checks whether it is valid at `now` (milliseconds). The lookup uses a hash, so its
   * timing reveals nothing about secrets.
   */
  authenticate(secret: string, now: number): Authentication {
    const entry = this.#entries.get(secretDigest(secret));
    if (!entry) return { outcome: 'rejected', reason: 'unknown' };
    const { key, validUntil, accepted, phases } = entry;
    if (key.disabled) return { outcome: 'rejected', reason: 'disabled', keyId: key.id };
    if (now >= validUntil) return { outcome: 'rejected', reason: 'expired', keyId: key.id };
    return phases?.find(({ until }) => now < until)?.accepted ?? accepted;
  }

  /** The key with this id if it is valid at `now`, for those who act for it without its secret. */
  validKey(id: string, now: number): Key | undefined {
    const key = this.#byId.get(id);
    return key && !key.disabled && now < (key.expires ?? Infinity) ? keyAt(key, now) : undefined;
  }

  /** `until` is undefined for the current secret. */
  #add(fingerprint: Fingerprint, key: Key, until: number | undefined): void {
    const digest = fingerprintDigest(fingerprint);
    if (this.#entries.has(digest)) return;
    const validUntil = Math.min(key.expires ?? Infinity, until ?? Infinity);
    const accept = (as: Key) => ({ outcome: 'accepted', key: as, previous: until !== undefined }) as const;
    const phases =
      key.temporaryLimits &&
      phasesOf(key).map((phase) => ({ until: phase.until, accepted: accept(phase.key) }));
    this.#entries.set(digest, { key, validUntil, accepted: accept(key), phases });
  }
}
