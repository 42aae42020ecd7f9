import { randomBytes } from 'node:crypto';

/** The secret between the gateway and llama-server: made at each boot, handed over in environments, kept nowhere. */
export function createBackendKey(): string {
  return randomBytes(32).toString('base64url');
}
