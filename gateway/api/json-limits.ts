import { findStringEnd } from './json-string.ts';

export interface JsonLimits {
  /** How deep brackets may be nested. */
  readonly levels: number;
  /** How much may stand in it, by its commas and opening brackets; a member of an object, told by its colon, counts for ten. */
  readonly values: number;
}

const quote = 0x22;
// Tables, as these bytes may be ten million.
const steps = new Int8Array(256);
const weights = new Uint8Array(256);
for (const opening of Buffer.from('[{')) steps[opening] = 1;
for (const closing of Buffer.from(']}')) steps[closing] = -1;
for (const mark of Buffer.from(',[{')) weights[mark] = 1;
// It takes the parser ten times as long as a number in a list.
for (const colon of Buffer.from(':')) weights[colon] = 10;

/**
 * Which bound a JSON text breaks first; undefined where it keeps both. Looked at before it is parsed: millions of small
 * values take the parser seconds in which nobody else is served. Strings, most of any request, are skipped natively.
 */
export function findExceededLimit(
  json: Buffer,
  { levels, values }: JsonLimits,
): keyof JsonLimits | undefined {
  let [depth, count] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) {
      at = findStringEnd(json, at + 1);
      continue;
    }
    depth += steps[byte] ?? 0;
    count += weights[byte] ?? 0;
    if (depth > levels) return 'levels';
    if (count > values) return 'values';
  }
  return undefined;
}
