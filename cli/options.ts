import { InvalidArgumentError, Option } from 'commander';
import { isKeyId, keyIdRule } from '../keys/key.ts';
import { integer, list, timespan } from '../settings/kinds.ts';

// Options of several commands. Commander puts the option and the value before these messages.

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** The length of a list. */
export const countOption = (usual: number) =>
  new Option('--limit <n>', 'how many at most').argParser(positive).default(usual);

function positive(text: string): number {
  const value = integer(1).parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 1.');
  return value;
}

export function keyId(text: string): string {
  if (!isKeyId(text)) throw new InvalidArgumentError(`It ${keyIdRule}.`);
  return text;
}

export function nameList(text: string): readonly string[] {
  const found = list.parse(text) ?? [];
  if (found.length === 0)
    throw new InvalidArgumentError('It must contain at least one name; separate names by commas.');
  return found;
}

/** Milliseconds. A number without a unit is rejected, because it could be meant as hours; only 0 is unambiguous. */
export function durationMs(text: string): number {
  const value = timespan.parse(text);
  if (value === undefined || !Number.isSafeInteger(value) || (value !== 0 && /\d$/.test(text))) {
    throw new InvalidArgumentError('It must be a duration with a unit, such as 24h, 90m or 7d.');
  }
  return value;
}
