/**
 * Characters that could forge a line or move a terminal's cursor: control characters, line and paragraph separators,
 * and marks that change the direction of text.
 */
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** The text in one line, with unsafe characters escaped. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => names[character] ?? escaped(character));
}

/** The same JSON with unsafe characters escaped. JSON itself escapes control characters below 32. */
export function printableJson(line: string): string {
  return line.replace(unsafe, escaped);
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
