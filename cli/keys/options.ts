import { join, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { parseIsoTime } from '../../keys/iso-time.ts';
import { type Scope, scopes } from '../../keys/key.ts';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { DAY } from '../../settings/durations.ts';
import { integer } from '../../settings/kinds.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { durationMs, nameList } from '../options.ts';

// Commander puts the option and the value before these messages.

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

/** Milliseconds since 1970; null for never. */
export function expiry(text: string): number | null {
  return text.toLowerCase() === 'never' ? null : future(text, ', or never');
}

export const futureFormat =
  'tomorrow (midnight UTC), 3h, 30d, or an ISO date or time (UTC without an offset)';

/** A later moment, milliseconds since 1970. */
export function future(text: string, others = ''): number {
  const now = Date.now();
  const isDuration = /^\d+(\.\d+)?[smhd]$/i.test(text);
  const time = isDuration
    ? now + durationMs(text)
    : /^tomorrow$/i.test(text)
      ? nextDay(now)
      : parseIsoTime(text);
  if (time === undefined || Number.isNaN(new Date(time).getTime())) {
    throw new InvalidArgumentError(
      `It must be a duration such as 30d or 12h, tomorrow, a date such as 2027-01-31 (midnight UTC)${others}.`,
    );
  }
  if (time <= now) throw new InvalidArgumentError('It is in the past.');
  return time;
}

const nextDay = (now: number) => now - (now % DAY) + DAY;

export function fileOption(): Option {
  return new Option('--file <path>', 'key file (default: AUTH_KEYS_FILE, else keys.json in DATA_DIR)');
}

/** The absolute path of the key file of a command: `--file`, else the one that the gateway reads. */
export function resolveKeyFile(named: string | undefined, exists?: (path: string) => boolean): string {
  if (named !== undefined) return resolve(named);
  const { AUTH_KEYS_FILE, DATA_DIR } = readSettings(process.env).settings;
  return resolve(keyFilePath({ AUTH_KEYS_FILE, dataDir: resolveDataDir(DATA_DIR) }, exists));
}

export function inDataDir(name: string): string {
  return join(resolveDataDir(readSettings(process.env).settings.DATA_DIR), name);
}

/** `KEY_MAX_AGE_DAYS` in ms; undefined if it is unset. */
export function maxKeyAgeMs(): number | undefined {
  const days = readSettings(process.env).settings.KEY_MAX_AGE_DAYS;
  return days && days * DAY;
}
