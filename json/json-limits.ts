export interface JsonLimits {
  /** How deep brackets may be nested. */
  readonly levels: number;
  /** How many values, counted by commas and opening brackets; a member of an object, counted by its colon, weighs ten. */
  readonly values: number;
}

/**
 * Of the body of a request. llama-server visits schemas by recursion: some ten thousand levels overflow its stack, which
 * crashes it for all clients. The values are a million tokens as numbers, and as many others.
 */
export const bodyLimits = { levels: 256, values: 2_000_000 } as const;

/**
 * The limit that a JSON text exceeds first; undefined where it keeps both. It is checked before parsing: millions of small
 * values occupy the parser for seconds, in which no other request is served.
 */
export function findExceededLimit(json: string, limits: JsonLimits): keyof JsonLimits | undefined {
  return isWithin(json, limits) ? undefined : findByCounting(json, limits);
}

/** A cheap test that most requests pass: the text is too short for the values, and has too few brackets for the levels. */
function isWithin(json: string, { levels, values }: JsonLimits): boolean {
  if (json.length * MEMBER > values) return false;
  const braces = countOf(json, '{', levels);
  return braces + countOf(json, '[', levels - braces) <= levels;
}

/** How often a character occurs; no more than one above `most` is counted. */
function countOf(text: string, character: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= most; at = text.indexOf(character, at + 1))
    count += 1;
  return count;
}

const [quote, backslash] = [0x22, 0x5c];
/** The weight of a member: it takes the parser ten times as long as a number in a list. */
const MEMBER = 10;

// Tables, because these characters may be ten million.
const steps = new Int8Array(128);
const weights = new Uint8Array(128);
for (const opening of Buffer.from('[{')) steps[opening] = 1;
for (const closing of Buffer.from(']}')) steps[closing] = -1;
for (const mark of Buffer.from(',[{')) weights[mark] = 1;
for (const colon of Buffer.from(':')) weights[colon] = MEMBER;

/** Strings, most of any request, are skipped natively. */
function findByCounting(json: string, { levels, values }: JsonLimits): keyof JsonLimits | undefined {
  let [depth, count] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) {
      at = findStringEnd(json, at + 1);
      continue;
    }
    depth += steps[code] ?? 0;
    count += weights[code] ?? 0;
    if (depth > levels) return 'levels';
    if (count > values) return 'values';
  }
  return undefined;
}

/** The position of the closing quote of the string whose text begins at `from`; the length of `json` where there is none. */
function findStringEnd(json: string, from: number): number {
  let end = json.indexOf('"', from);
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end === -1 ? json.length : end;
}

/** Whether an odd number of backslashes stands before a position. */
export function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1;
  return backslashes % 2 === 1;
}
