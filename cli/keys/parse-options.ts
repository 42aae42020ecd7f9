import { InvalidArgumentError } from 'commander';
import { parseIsoTime } from '../../keys/iso-time.ts';
import { type Scope, scopes } from '../../keys/key.ts';
import { isKeyId, keyIdRule } from '../../keys/key-id.ts';
import { integer, list, timespan } from '../../settings/kinds.ts';

// Commander puts the option and the value in front of these messages.

export function keyId(text: string): string {
  if (!isKeyId(text)) throw new InvalidArgumentError(`It ${keyIdRule}.`);
  return text;
}

/** A limit: a whole number, 0 for none. */
export function limit(text: string): number {
  const value = integer(0).parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 0; 0 means unlimited.');
  return value;
}

export function scopeList(text: string): Scope[] {
  const wanted = nameList(text);
  const wrong = wanted.filter((word) => !scopes.some((scope) => scope === word));
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

/** Milliseconds. A number alone might be meant as hours, and would be seconds: only 0 is the same in all units. */
export function durationMs(text: string): number {
  const value = timespan.parse(text);
  if (value === undefined || !Number.isSafeInteger(value) || (value !== 0 && /\d$/.test(text))) {
    throw new InvalidArgumentError('It must be a duration with a unit, such as 24h, 90m or 7d.');
  }
  return value;
}
