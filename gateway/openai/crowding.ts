import { endOfString } from './json-string.ts';

const quote = 0x22;
/** What each byte counts: a member of an object, which its colon tells, takes the parser ten times as long as a number. */
const weights = new Uint8Array(256);
for (const mark of Buffer.from(',[{')) weights[mark] = 1;
for (const colon of Buffer.from(':')) weights[colon] = 10;

/**
 * Whether a JSON text has more than `most` values, told by its commas and opening brackets, each member of an object
 * counting for ten: millions of small ones take the parser seconds in which nobody else is served. Strings, most of any
 * request, are skipped natively.
 */
export function isMoreCrowded(json: Buffer, most: number): boolean {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at + 1);
    else count += weights[byte] ?? 0;
    if (count > most) return true;
  }
  return false;
}
