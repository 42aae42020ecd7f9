import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { LedgerFile, ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import { parseIsoTime } from '../../keys/iso-time.ts';
import { isKeyId, keyIdRule, type Scope, scopes } from '../../keys/key.ts';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { DAY } from '../../settings/durations.ts';
import { integer, list, timespan } from '../../settings/kinds.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { writeStderr } from '../output.ts';

// Commander puts the option and the value before these messages.

export function keyId(text: string): string {
  if (!isKeyId(text)) throw new InvalidArgumentError(`It ${keyIdRule}.`);
  return text;
}

/** A limit; 0 means unlimited. */
export function limit(text: string): number {
  const value = integer(0).parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 0; 0 means unlimited.');
  return value;
}

export function scopeList(text: string): Scope[] {
  const wanted = nameList(text);
  const wrong = wanted.filter((name) => !scopes.some((scope) => scope === name));
  if (wrong.length > 0) throw new InvalidArgumentError(`Allowed, comma-separated: ${scopes.join(', ')}.`);
  return scopes.filter((scope) => wanted.includes(scope));
}

export function nameList(text: string): readonly string[] {
  const found = list.parse(text) ?? [];
  if (found.length === 0)
    throw new InvalidArgumentError('It must contain at least one name; separate names by commas.');
  return found;
}

/** Milliseconds since 1970; null for never. */
export function expiry(text: string): number | null {
  if (text.toLowerCase() === 'never') return null;
  const time = /^\d+(\.\d+)?[smhd]$/i.test(text) ? Date.now() + durationMs(text) : parseIsoTime(text);
  if (time === undefined) {
    throw new InvalidArgumentError(
      'It must be a duration such as 30d or 12h, a date such as 2027-01-31 (midnight UTC), or never.',
    );
  }
  if (time <= Date.now()) throw new InvalidArgumentError('It is in the past.');
  return time;
}

/** Milliseconds. A number without a unit is rejected, because it could be meant as hours; only 0 is unambiguous. */
export function durationMs(text: string): number {
  const value = timespan.parse(text);
  if (value === undefined || !Number.isSafeInteger(value) || (value !== 0 && /\d$/.test(text))) {
    throw new InvalidArgumentError('It must be a duration with a unit, such as 24h, 90m or 7d.');
  }
  return value;
}

export function fileOption(): Option {
  return new Option('--file <path>', 'key file (default: AUTH_KEYS_FILE, else keys.json in DATA_DIR)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** The key file of a command: `--file`, else the one that the gateway reads. */
export function resolveKeyFile(named: string | undefined, exists?: (path: string) => boolean): string {
  if (named !== undefined) return named;
  const { AUTH_KEYS_FILE, DATA_DIR } = readSettings(process.env).settings;
  return keyFilePath({ AUTH_KEYS_FILE, dataDir: resolveDataDir(DATA_DIR) }, exists);
}

export function ledgerOption(): Option {
  return new Option('--ledger <path>', `usage ledger (default: ${ledgerFileName} in DATA_DIR)`);
}

/** The ledger of a command: `--ledger`, else the one that the gateway writes. */
export function resolveLedger(named: string | undefined): string {
  return named ?? join(resolveDataDir(readSettings(process.env).settings.DATA_DIR), ledgerFileName);
}

/** SQLite's code for an unfinished write of a killed process. Only a writer can recover it. */
const UNFINISHED_WRITE = 776;

/** Opens the ledger for reading while a gateway may be running. Throws an error that names the file. */
export function openLedger(path: string): LedgerFile {
  if (!existsSync(path)) throw new Error(`${path}: no usage ledger yet; the gateway creates it`);
  try {
    return checked(new LedgerFile(path, { readOnly: true }));
  } catch (error) {
    if ((error as { errcode?: number }).errcode === UNFINISHED_WRITE) return checked(new LedgerFile(path));
    throw new Error(`${path}: cannot be read (${(error as Error).message})`, { cause: error });
  }
}

/** SQLite opens the file only with the first query. */
function checked(ledger: LedgerFile): LedgerFile {
  ledger.seen();
  return ledger;
}

/** When each key was last used. Empty if there is no ledger or it cannot be read; the latter is reported on stderr. */
export function lastSeen(path: string): ReadonlyMap<string, KeySeen> {
  if (!existsSync(path)) return new Map();
  try {
    const ledger = openLedger(path);
    const seen = ledger.seen();
    ledger.close();
    return new Map(seen.map((one) => [one.keyId, one]));
  } catch (error) {
    writeStderr((error as Error).message);
    return new Map();
  }
}

/** `KEY_MAX_AGE_DAYS` in ms; undefined if it is unset. */
export function maxKeyAgeMs(): number | undefined {
  const days = readSettings(process.env).settings.KEY_MAX_AGE_DAYS;
  return days && days * DAY;
}
