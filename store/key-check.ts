import { timingSafeEqual } from 'node:crypto';
import type { StoreConfig } from './config.ts';
import type { Database } from './database.ts';
import { StoreError } from './errors.ts';
import { keyedHash } from './frame-cipher.ts';

/**
 * Throws a StoreError if STORE_KEY is not the key with which the contents were encrypted. The first process that uses an
 * empty store decides whether it is encrypted, unless it is only looked at (`decides`).
 */
export function checkKey(
  db: Database,
  { key, folder }: Pick<StoreConfig, 'key' | 'folder'>,
  decides: boolean,
): void {
  const ours = key === undefined ? Buffer.alloc(0) : keyedHash(key, 'llama-corral store');
  const recorded = db.transaction(() => {
    const row = db.get("SELECT value FROM meta WHERE name = 'key'");
    if (row !== undefined && !isEmpty(db)) return row.value as Uint8Array;
    if (!decides) return ours;
    db.run("INSERT OR REPLACE INTO meta VALUES ('key', ?)", ours);
    return ours;
  });
  if (recorded.length === ours.length && timingSafeEqual(recorded, ours)) return;
  throw new StoreError(`the store in ${folder} ${problem(recorded.length > 0, key !== undefined)}`);
}

function problem(isEncrypted: boolean, hasKey: boolean): string {
  if (!isEncrypted)
    return 'is not encrypted: unset STORE_KEY, or remove what is stored with "corral store purge --all" to encrypt from then on';
  return hasKey
    ? 'is encrypted with another key: set STORE_KEY to the key with which it was created, or, if that is lost, remove what is stored with "corral store purge --all"'
    : 'is encrypted: set STORE_KEY to its key';
}

function isEmpty(db: Database): boolean {
  const tables = ['files', 'batches', 'responses', 'conversations'].map((table) => `SELECT 1 FROM ${table}`);
  return db.get(`${tables.join(' UNION ALL ')} LIMIT 1`) === undefined;
}
