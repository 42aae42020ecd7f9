// Reads single values of JSON that is not parsed because it is cut off, or part of a stream of events. What is inside a string
// cannot match a name in quotes: its own quotes are escaped.

/** Where the object that begins at `at` ends; -1 if there is none, or not all of it. */
export function findObjectEnd(text: string, at: number): number {
  const start = skipSpace(text, at);
  if (text[start] !== '{') return -1;
  let end = text.indexOf('}', start);
  let inner = text.indexOf('{', start + 1);
  while (inner !== -1 && inner < end) {
    inner = text.indexOf('{', inner + 1);
    end = text.indexOf('}', end + 1);
  }
  return end;
}

/** The number of this field, whose name is given in quotes, between two places. */
export function readCount(text: string, field: string, from: number, end: number): number | undefined {
  const at = text.indexOf(field, from);
  if (at === -1 || at > end) return undefined;
  let count: number | undefined;
  for (let i = skipColon(text, at + field.length); isDigit(text.charCodeAt(i)); i++)
    count = (count ?? 0) * 10 + text.charCodeAt(i) - ZERO;
  return count;
}

/** The string that begins at `at`, if it is a single word. */
export function readWord(text: string, at: number): string | undefined {
  const end = text[at] === '"' ? text.indexOf('"', at + 1) : -1;
  if (end === -1 || end - at > MAX_WORD_LENGTH) return undefined;
  const word = text.slice(at + 1, end);
  return /^\w+$/.test(word) ? word : undefined;
}

const MAX_WORD_LENGTH = 64;

/** Where the value begins after the name that ends at `at`; the end of the text if there is none. */
export function skipColon(text: string, at: number): number {
  const colon = skipSpace(text, at);
  return text[colon] === ':' ? skipSpace(text, colon + 1) : text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

const SPACE = 0x20;
const ZERO = 0x30;
const isDigit = (code: number) => code >= ZERO && code <= 0x39;
