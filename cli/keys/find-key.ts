import type { LedgerFile } from '../../gateway/usage/ledger-file.ts';
import { findKey } from '../../keys/change-keys.ts';
import { isIdentityId } from '../../keys/identity.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { parseApiKeysVariable } from '../../keys/parse-keys.ts';
import { didYouMean } from '../../settings/nearest-name.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { resolveKeyFile } from './options.ts';

/** The key of a key file with this id. The error says where else it is, if commands cannot change it there. */
export function findFileKey(keys: readonly Key[], id: string): Key {
  if (keys.some((key) => key.id === id)) return findKey(keys, id);
  const { API_KEYS, OIDC_CLAIMS_FILE } = readSettings(process.env).settings;
  if (parseApiKeysVariable(API_KEYS ?? '').keys.some((key) => key.id === id))
    throw new Error(`key "${id}" is in the variable API_KEYS, which no command can change: change it there`);
  if (isIdentityId(id)) {
    const rules = OIDC_CLAIMS_FILE ?? 'the file of OIDC_CLAIMS_FILE';
    throw new Error(
      `"${id}" signs in with tokens and has no key: its rights are those of a rule in ${rules}`,
    );
  }
  return findKey(keys, id);
}

/** Throws if no key has this id and none has had it: a mistyped id must not look like a key without usage. */
export async function requireKnownKey(id: string, ledger: LedgerFile, ledgerPath: string): Promise<void> {
  const used = ledger.keyIds();
  if (used.includes(id)) return;
  const file = resolveKeyFile(undefined);
  const inline = parseApiKeysVariable(readSettings(process.env).settings.API_KEYS ?? '');
  const { keys } = await readKeyFile(file);
  const known = [...new Set([...keys, ...inline.keys].map((key) => key.id)).union(new Set(used))];
  if (known.includes(id)) return;
  const hint = didYouMean(id, known) ?? '"corral keys list" lists all keys';
  throw new Error(`no key "${id}" in ${file} or ${ledgerPath}: ${hint}`);
}
