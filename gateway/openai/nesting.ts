import { endOfString } from './json-string.ts';

const quote = 0x22;
/** By how much each byte changes the depth: a table, as these bytes may be ten million. */
const steps = new Int8Array(256);
for (const opening of Buffer.from('[{')) steps[opening] = 1;
for (const closing of Buffer.from(']}')) steps[closing] = -1;

/** Whether a JSON text nests brackets deeper than `levels`. Strings, most of any request, are skipped natively. */
export function isNestedDeeper(json: Buffer, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at + 1);
    else depth += steps[byte] ?? 0;
    if (depth > levels) return true;
  }
  return false;
}
