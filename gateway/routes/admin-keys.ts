import type { Key, KeyLimits } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { adminDisabled, keyFileInvalid } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

/** `GET /admin/keys`: the keys in force, and what is wrong with the key file. */
export function listKeys(keys: KeyStore | undefined, maxAgeMs: number | undefined) {
  return (c: GatewayContext) => {
    const { ring, problem = null, warnings } = orOff(keys);
    const now = Date.now();
    return c.json({ keys: ring.keys.map((key) => describe(key, now, maxAgeMs)), problem, warnings });
  };
}

/** `POST /reload`, as the Python ancestor answered it. */
export function reloadKeys(keys: KeyStore | undefined) {
  return async (c: GatewayContext) => {
    const result = await orOff(keys).reload();
    if (result.outcome === 'kept') throw keyFileInvalid(result.problem);
    return c.json({ status: 'ok', keys_loaded: result.keys, warnings: result.warnings });
  };
}

function orOff(keys: KeyStore | undefined): KeyStore {
  if (keys === undefined) throw adminDisabled();
  return keys;
}

/** Field by field: what a newer writer put into the file is not ours to show. */
function describe(key: Key, now: number, maxAgeMs: number | undefined) {
  const { id, hint, scopes, models, priority, note, created, expires } = key;
  const { state, expiresSoon, secretIsOld, rotatingUntil } = getKeyStatus(key, now, maxAgeMs);
  return {
    ...{ id, hint, status: state, expiresSoon, secretIsOld },
    ...{ scopes, models, priority, limits: ownLimits(key.limits) },
    created: showTime(created),
    expires: showTime(expires),
    rotatingUntil: showTime(rotatingUntil ?? null),
    note,
  };
}

function ownLimits({ requestsPerMinute, tokensPerMinute, tokensPerDay, concurrent }: KeyLimits): KeyLimits {
  return { requestsPerMinute, tokensPerMinute, tokensPerDay, concurrent };
}

function showTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
