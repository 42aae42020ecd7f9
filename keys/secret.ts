import { hash, randomBytes } from 'node:crypto';
import { type Fingerprint, type Key, keyDefaults, newKeyScopes } from './key.ts';

/** The stored form of a secret. */
export function fingerprint(secret: string): Fingerprint {
  return `sha256:${secretDigest(secret)}`;
}

/** A plain hash is enough, because secrets are 256 random bits. */
export function secretDigest(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** The digest in a fingerprint. */
export function fingerprintDigest(fingerprint: Fingerprint): string {
  return fingerprint.slice('sha256:'.length);
}

export function isFingerprint(text: string): text is Fingerprint {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** A new secret: `sk-` and 43 base64url characters, 256 random bits. */
export function mintSecret(): string {
  return `sk-${randomBytes(32).toString('base64url')}`;
}

/** The visible part of a secret: `sk-…wxyz`, or `…wxyz` for a secret that was not created here. */
export function secretHint(secret: string): string {
  return `${secret.startsWith('sk-') ? 'sk-' : ''}…${secret.slice(-4)}`;
}

export interface MintedKey {
  readonly key: Key;
  /** To be shown once and not stored. */
  readonly secret: string;
}

export type NewKeyOptions = Partial<Omit<Key, 'id' | 'fingerprint' | 'hint' | 'created' | 'previous'>>;

export function createKey(id: string, options: NewKeyOptions, now: number): MintedKey {
  const secret = mintSecret();
  const key = {
    ...keyDefaults,
    scopes: newKeyScopes,
    ...options,
    id,
    fingerprint: fingerprint(secret),
    hint: secretHint(secret),
    created: now,
  };
  return { key, secret };
}
