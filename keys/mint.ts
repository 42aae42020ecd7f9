import { randomBytes } from 'node:crypto';

/** A new secret: `sk-` and 43 base64url characters, 256 random bits. */
export function mintSecret(): string {
  return `sk-${randomBytes(32).toString('base64url')}`;
}

/** What may be shown of a secret: `sk-…wxyz`, or `…wxyz` for one that was not minted here. */
export function secretHint(secret: string): string {
  return `${secret.startsWith('sk-') ? 'sk-' : ''}…${secret.slice(-4)}`;
}
