import type { JsonObject } from '../../json/json-object.ts';

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object's members; none of any other value. */
export const asObject = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

/** A list's items; none of any other value. */
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Undefined where the text is not JSON, or not an object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The same object where nothing differs, else a copy with these members; undefined removes a member. */
export function withFields(object: JsonObject, members: JsonObject): JsonObject {
  let changed: Record<string, unknown> | undefined;
  for (const name in members) {
    const value = members[name];
    if (value === undefined ? !(name in object) : value === object[name]) continue;
    changed ??= { ...object };
    if (value === undefined) delete changed[name];
    else changed[name] = value;
  }
  return changed ?? object;
}

/** The same list where every step returned its item, else a new one. A step may return several items, or undefined for none. */
export function mapList(
  list: readonly unknown[],
  step: (item: unknown, index: number) => unknown,
): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    const next = step(item, index);
    if (next !== item) changed ??= list.slice(0, index);
    if (changed === undefined || next === undefined) continue;
    if (next !== item && Array.isArray(next)) changed.push(...next);
    else changed.push(next);
  }
  return changed ?? list;
}

/** Removes those of the named members that are null: OpenAI allows them, llama-server does not. */
export function withoutNulls(object: JsonObject, names: readonly string[]): JsonObject {
  let changed: Record<string, unknown> | undefined;
  for (const name of names) {
    if (object[name] !== null) continue;
    changed ??= { ...object };
    delete changed[name];
  }
  return changed ?? object;
}

// From here on, JSON is read and changed as bytes or text: a body may have megabytes, and most need no change.

const [quote, backslash, openingBrace, closingBrace] = [0x22, 0x5c, 0x7b, 0x7d];
/** JSON's white space: blank, tab, line feed, carriage return. */
const whitespace = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The same JSON object with further members. They are appended to the client's own, because llama-server takes the last of two
 * members with one name. All other bytes are kept as they came, including numbers that JavaScript would round.
 */
export function appendFields(body: Buffer, members: string): Buffer {
  if (members === '') return body;
  const own = body.subarray(0, body.lastIndexOf(closingBrace));
  return Buffer.concat([own, Buffer.from(`${hasNoMembers(own) ? '' : ','}${members}}`)]);
}

function hasNoMembers(object: Buffer): boolean {
  const first = object.indexOf(openingBrace);
  for (let at = first + 1; at < object.length; at++) if (!whitespace.has(object[at] ?? 0)) return false;
  return true;
}

/** Below this size a loop is faster than a call into Node. */
const SHORT = 16;

/** The position of the closing quote of the JSON string whose text begins at `from`; the length of `json` where there is none. */
export function findStringEnd(json: Buffer, from: number): number {
  let end = findQuote(json, from);
  while (end !== -1 && isEscaped(json, end)) end = findQuote(json, end + 1);
  return end === -1 ? json.length : end;
}

function findQuote(json: Buffer, from: number): number {
  const far = Math.min(from + SHORT, json.length);
  for (let at = from; at < far; at++) if (json[at] === quote) return at;
  return json.indexOf(quote, far);
}

function isEscaped(json: Buffer, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === backslash) backslashes += 1;
  return backslashes % 2 === 1;
}

/**
 * Replaces every escape of half a character (`\ud83d` alone) in JSON by U+FFFD; the same text where there is none. JavaScript
 * writes such an escape for a text that was cut inside an emoji, and llama-server rejects the whole body for one.
 */
export function replaceLoneSurrogates(text: string): string {
  // Most texts have no `\u` at all, which is found faster than the rest of it.
  if (!text.includes('\\u') || !surrogate.test(text)) return text;
  return text.replace(surrogates, (found) => (found.length === LONE ? '\\ufffd' : found));
}

const surrogate = /\\u[dD]/;
const LONE = '\\ud83d'.length;

/** An escaped backslash, a whole pair, and half of one. */
const surrogates =
  /\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}/g;
