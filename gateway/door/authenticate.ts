import type { MiddlewareHandler } from 'hono';
import type { Key, Scope } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { insufficientScope, invalidApiKey } from '../refusal/catalogue.ts';
import type { GatewayEnv } from './gateway-context.ts';
import { presentedSecrets } from './presented-secrets.ts';

/** Who may ask: the ring of this moment, or undefined where authentication is off. */
export type Doorkeeper = () => KeyRing | undefined;

/** Lets a request in with a key that has the scope. Unknown, expired and disabled keys get one and the same answer. */
export function authenticate(doorkeeper: Doorkeeper, scope: Scope): MiddlewareHandler<GatewayEnv> {
  return async function authenticate(c, next) {
    const ring = doorkeeper();
    if (ring === undefined) return next();
    const key = recognise(ring, presentedSecrets(c.env.incoming.headers));
    if (key === undefined) throw invalidApiKey();
    c.get('record').keyId = key.id;
    if (!key.scopes.includes(scope)) throw insufficientScope(scope);
    c.set('key', key);
    return next();
  };
}

function recognise(ring: KeyRing, secrets: readonly string[]): Key | undefined {
  const now = Date.now();
  for (const secret of secrets) {
    const authentication = ring.authenticate(secret, now);
    if (authentication.outcome === 'accepted') return authentication.key;
  }
  return undefined;
}
