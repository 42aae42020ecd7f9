import type { SettingChanges } from '../../health/supervisor-messages.ts';
import type { Key, KeyLimits, TemporaryLimits } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { temporaryLimitsAt } from '../../keys/temporary-limits.ts';
import { isJsonObject } from '../api/json.ts';
import {
  adminDisabled,
  invalidRestart,
  keyFileInvalid,
  requestNotFound,
  restartInProgress,
  restartNotSupported,
} from '../errors/catalogue.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import type { KnownIdentities, LatestIdentities } from '../oidc/known-identities.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import { isRunning, type RequestRecord } from '../proxy/request-record.ts';
import { readJson } from './read-json.ts';

const MAX_IDENTITIES = 100;

/** `GET /admin/keys`: the current keys, what is wrong with the key file, and the latest identities of tokens. */
export function listKeys(
  keys: KeyStore | undefined,
  maxAgeMs: number | undefined,
  identities: KnownIdentities | undefined,
) {
  return (c: GatewayContext) => {
    const { ring, problem = null, warnings } = requireKeys(keys);
    const now = Date.now();
    return c.json({
      keys: ring.keys.map((key) => describeKey(key, now, maxAgeMs)),
      ...{ problem, warnings },
      ...(identities && { identities: describeIdentities(identities.latest(MAX_IDENTITIES, now)) }),
    });
  };
}

/** `POST /reload`, with the response of llama-gguf-inference. */
export function reloadKeys(keys: KeyStore | undefined) {
  return async (c: GatewayContext) => {
    const result = await requireKeys(keys).reload();
    if (result.outcome === 'kept') throw keyFileInvalid(result.problem);
    return c.json({ status: 'ok', keys_loaded: result.keys, warnings: result.warnings });
  };
}

function requireKeys(keys: KeyStore | undefined): KeyStore {
  if (keys === undefined) throw adminDisabled();
  return keys;
}

function describeIdentities({ count, latest }: LatestIdentities) {
  return { count, latest: latest.map(({ id, rule, seen }) => ({ id, rule, lastSeen: formatTime(seen) })) };
}

/** Field by field, because a newer version may have written fields that must not be exposed. */
function describeKey(key: Key, now: number, maxAgeMs: number | undefined) {
  const { id, hint, scopes, models, priority, note, created, expires } = key;
  const { state, expiresSoon, secretIsOld, rotatingUntil } = getKeyStatus(key, now, maxAgeMs);
  return {
    ...{ id, hint, status: state, expiresSoon, secretIsOld },
    ...{ scopes, models, priority, limits: describeLimits(key.limits) },
    temporaryLimits: temporaryLimitsAt(key, now).map(describeTemporaryLimits),
    ...(key.usersFrom === null
      ? undefined
      : { usersFrom: key.usersFrom, userLimits: describeLimits(key.userLimits) }),
    created: formatTime(created),
    expires: formatTime(expires),
    rotatingUntil: formatTime(rotatingUntil ?? null),
    note,
  };
}

function describeLimits({
  requestsPerMinute,
  tokensPerMinute,
  tokensPerDay,
  concurrent,
}: KeyLimits): KeyLimits {
  return { requestsPerMinute, tokensPerMinute, tokensPerDay, concurrent };
}

function describeTemporaryLimits({ limits, userLimits, until }: TemporaryLimits) {
  return {
    limits: describeLimits(limits),
    ...(userLimits && { userLimits: describeLimits(userLimits) }),
    until: formatTime(until),
  };
}

function formatTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** `GET /admin/requests`: the requests in progress, oldest first. */
export function listRequests(live: LiveRequests) {
  return (c: GatewayContext) => {
    const now = performance.now();
    return c.json({ requests: live.records.map((record) => describeRequest(record, now)) });
  };
}

/** `DELETE /admin/requests/{id}`. */
export function cancelRequest(live: LiveRequests) {
  return (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    const cancelled = live.cancel(id);
    if (cancelled === 0) throw requestNotFound(id);
    return c.json({ id, cancelled });
  };
}

function describeRequest(record: RequestRecord, now: number) {
  const { id, method, path, address, keyId, user, model, streamed, queuedMs, startedAt, responseTail } =
    record;
  return {
    ...{ id, method, path, address },
    key: keyId ?? null,
    user,
    model: model ?? null,
    stream: streamed ?? null,
    state: isRunning(record) ? 'running' : 'waiting',
    ageMs: Math.round(now - startedAt),
    queuedMs: Math.round(queuedMs ?? now - startedAt),
    tokens: responseTail?.generated ?? 0,
  };
}

const EXPECTED_CHANGES = 'an object of variables, such as {"CTX":"8192"}';

/** `POST /admin/restart`: restarts the engine without losing a request, with the settings in the body changed. */
export function restartEngine(supervisor: SupervisorClient, idleTimeout: number) {
  return async (c: GatewayContext) => {
    const changes = parseChanges(await readJson(c.env.incoming, idleTimeout, EXPECTED_CHANGES));
    const result = await supervisor.restartEngine(changes);
    if (result === undefined) throw restartNotSupported();
    if (result.outcome === 'rejected') throw invalidRestart(result.problems);
    if (result.outcome !== 'accepted') throw restartInProgress(result.outcome);
    return c.json(
      {
        standing: 'restarting',
        changes: Object.keys(changes),
        message:
          'Requests in progress finish, new requests wait, then llama-server restarts. If it does not load, the previous settings are restored. GET /health reports when it is ready; /status on the health server reports the result.',
      },
      202,
    );
  };
}

function parseChanges(fields: unknown = {}): SettingChanges {
  if (!isJsonObject(fields)) throw invalidRestart([`expected ${EXPECTED_CHANGES}`]);
  const entries = Object.entries(fields).map(([name, value]) => [name, toVariable(value)] as const);
  const invalid = entries.filter(([, value]) => value === undefined).map(([name]) => name);
  if (invalid.length > 0)
    throw invalidRestart(invalid.map((name) => `${name}: expected a string or a number`));
  return Object.fromEntries(entries.map(([name, value = '']) => [name, value]));
}

/** The value of an environment variable; null unsets it, as an empty string does. */
function toVariable(value: unknown): string | undefined {
  if (value === null) return '';
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
