import { endOfString } from './json-string.ts';

const quote = 0x22;
/** Comma, colon, and the brackets that open. */
const marks = new Set([0x2c, 0x3a, 0x5b, 0x7b]);

/**
 * Whether a JSON text has more than `most` commas, colons and opening brackets, and so about as many values: millions of
 * small ones take the parser seconds in which nobody else is served. Strings, most of any request, are skipped natively.
 */
export function isMoreCrowded(json: Buffer, most: number): boolean {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at + 1);
    else if (marks.has(byte)) count += 1;
    if (count > most) return true;
  }
  return false;
}
