/**
 * What could forge a line or move a terminal's cursor: control characters, line and paragraph separators, and the marks that
 * turn the direction of text.
 */
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** The text in one line, everything unsafe in it written out. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => names[character] ?? escaped(character));
}

/** A line of JSON, in which all strings are printable; it means the same. Control characters below 32 JSON escapes itself. */
export function printableJson(line: string): string {
  return line.replace(unsafe, escaped);
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
