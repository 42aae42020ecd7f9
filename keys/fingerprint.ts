import { hash } from 'node:crypto';
import type { Fingerprint } from './key.ts';

/** What is stored of a secret. A plain hash is enough: secrets are 256 random bits, which no dictionary holds. */
export function fingerprint(secret: string): Fingerprint {
  return `sha256:${hash('sha256', secret, 'hex')}`;
}

export function isFingerprint(text: string): text is Fingerprint {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
