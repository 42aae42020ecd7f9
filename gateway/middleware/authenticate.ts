import type { MiddlewareHandler } from 'hono';
import type { Scope } from '../../keys/key.ts';
import type { Authentication, KeyRing } from '../../keys/key-ring.ts';
import { adminDisabled, insufficientScope, invalidApiKey, tooManyFailedLogins } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import type { FailedLogins } from './failed-logins.ts';
import { presentedSecrets } from './presented-secrets.ts';

/** Who may ask: the ring of this moment, or undefined where authentication is off. */
export interface Authenticator {
  readonly ring: () => KeyRing | undefined;
  readonly failedLogins: FailedLogins;
}

/**
 * Lets a request in with a key that has one of the scopes. Unknown, expired and disabled keys get one and the same
 * answer. With authentication off everybody may do everything but administer.
 */
export function authenticate(
  doorkeeper: Authenticator,
  scope: Scope,
  ...orElse: readonly Scope[]
): MiddlewareHandler<GatewayEnv> {
  const scopes = [scope, ...orElse];
  return async function authenticate(c, next) {
    const ring = doorkeeper.ring();
    if (ring === undefined) {
      if (scope === 'admin') throw adminDisabled();
      return next();
    }
    const secrets = presentedSecrets(c.env.incoming.headers);
    const record = c.get('record');
    const accepted = recognise(ring, secrets);
    if (accepted === undefined) throw await refuseLogin(doorkeeper, secrets, record.address);
    const { key, previous } = accepted;
    record.keyId = key.id;
    record.previousSecret = previous;
    if (!scopes.some((one) => key.scopes.includes(one))) throw insufficientScope(scope);
    c.set('key', key);
    return next();
  };
}

/** A request that shows no secret guesses nothing, and is not counted. */
async function refuseLogin({ failedLogins }: Authenticator, secrets: readonly string[], address: string) {
  const wait = secrets.length > 0 ? await failedLogins.count(address) : undefined;
  return wait === undefined ? invalidApiKey() : tooManyFailedLogins(wait);
}

function recognise(ring: KeyRing, secrets: readonly string[]) {
  const now = Date.now();
  for (const secret of secrets) {
    const authentication: Authentication = ring.authenticate(secret, now);
    if (authentication.outcome === 'accepted') return authentication;
  }
  return undefined;
}
