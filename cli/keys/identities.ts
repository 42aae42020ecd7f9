import {
  identitiesFileName,
  type LatestIdentities,
  readLatestIdentities,
} from '../../gateway/oidc/known-identities.ts';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import { isIdentityId } from '../../keys/identity.ts';
import { formatAgo, formatTime } from '../format-values.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { inDataDir } from './options.ts';

const MAX_SHOWN = 100;

/**
 * The identities of a data folder: those that a gateway wrote down, and, where none is written, those in the ledger, whose
 * rules are not known. `keyIds` are no identities, whatever they look like.
 */
export function findIdentities(
  seen: ReadonlyMap<string, KeySeen>,
  keyIds: readonly string[],
  now: number,
): LatestIdentities {
  const written = readLatestIdentities(inDataDir(identitiesFileName), MAX_SHOWN, now);
  if (written.count > 0) return written;
  const keys = new Set(keyIds);
  const used = [...seen.values()]
    .filter(({ keyId }) => isIdentityId(keyId) && !keys.has(keyId))
    .toSorted((a, b) => b.lastUsed - a.lastUsed);
  return {
    count: used.length,
    latest: used
      .slice(0, MAX_SHOWN)
      .map(({ keyId, lastUsed }) => ({ id: keyId, rule: null, seen: lastUsed })),
  };
}

/** `corral keys list --identities`. */
export function showIdentities({ count, latest }: LatestIdentities, json: boolean, now: number): void {
  if (json) {
    writeJson(latest.map(({ id, rule, seen }) => ({ id, rule, lastSeen: new Date(seen).toISOString() })));
    return;
  }
  const rows = latest.map(({ id, rule, seen }) => [
    ...[id, rule ?? '-'],
    `${formatTime(seen, '')} (${formatAgo(seen, now)})`,
  ]);
  if (rows.length > 0) writeStdout(align([['IDENTITY', 'RULE', 'LAST SEEN'], ...rows]));
  const more = count > latest.length ? `; the latest ${latest.length} are shown` : '';
  writeStderr(`${count === 1 ? '1 identity' : `${count} identities`} signed in with tokens lately${more}.`);
}
