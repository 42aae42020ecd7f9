import { isUtf8 } from 'node:buffer';
import { bodyLimits, findExceededLimit } from '../../../json/json-limits.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { invalidJson } from '../../errors/catalogue.ts';
import { isJsonObject } from '../json.ts';

/** The text of a body; throws an ApiError where it has none. */
export function decodeBody(body: Buffer): string {
  if (body.length === 0) throw invalidJson('it is empty');
  const text = body.toString();
  // Bytes that are not UTF-8 are decoded to this character, which texts rarely have.
  if (text.includes('\ufffd') && !isUtf8(body)) throw invalidJson('it is not UTF-8');
  return text;
}

/** The JSON object of a text; throws an ApiError that says why there is none. */
export function parseBody(text: string): JsonObject {
  const exceeded = findExceededLimit(text, bodyLimits);
  if (exceeded === 'levels') throw invalidJson(`it is nested deeper than ${bodyLimits.levels} levels`);
  if (exceeded === 'values') throw invalidJson(`it has more than ${bodyLimits.values} values`);
  const value = parseText(text);
  if (!isJsonObject(value)) throw invalidJson('expected an object');
  return value;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidJson(withoutExcerpt((error as SyntaxError).message));
  }
}

/** V8 quotes the body in its messages, and a prompt must not appear in an error that others may log. */
function withoutExcerpt(message: string): string {
  return message.replace(/,? *(?:\.\.\.)?".*/s, '').replace(/ in JSON/, '');
}
