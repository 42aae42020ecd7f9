import { matchesAt } from './matches-at.ts';
import type { Dialect } from './route-table.ts';

interface Mark {
  readonly bytes: Buffer;
  /** What stands next in an event that only frames, such as the empty text of the last one. */
  readonly unless: Buffer;
}

function mark(text: string, unless: string): Mark {
  return { bytes: Buffer.from(text), unless: Buffer.from(unless) };
}

/** By what an event with generated text is known; inside a JSON string the quotes would be escaped. */
const marks: Readonly<Record<Dialect, readonly Mark[]>> = {
  openai: [mark('"delta":{"', 'role"'), mark('"text":"', '"')],
  responses: [mark('"delta":"', '"')],
  anthropic: [mark('"delta":{"type":"', 'signature_delta')],
  native: [mark('"content":"', '"')],
};

/**
 * How many of these events bring generated text: one a token, as llama-server sends them, but for tokens that make a
 * character only together. Cheap enough to be asked for every piece of every stream.
 */
export function countGeneratedEvents(dialect: Dialect, events: Buffer): number {
  for (const one of marks[dialect]) {
    const found = count(one, events);
    if (found > 0) return found;
  }
  return 0;
}

function count({ bytes, unless }: Mark, events: Buffer): number {
  let found = 0;
  let at = events.indexOf(bytes);
  while (at !== -1) {
    const next = at + bytes.length;
    if (!matchesAt(unless, events, next)) found += 1;
    at = events.indexOf(bytes, next);
  }
  return found;
}
