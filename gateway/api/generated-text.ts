import { findStringEnd } from './json.ts';
import type { CompletionShape } from './route-table.ts';
import { createMarker, findMarker, type Marker, matchesAt } from './stream-markers.ts';

/** What an event adds to the response: text, reasoning, or something else, such as a part of a tool call. */
export type GeneratedKind = 'content' | 'reasoning' | 'other';

/**
 * Finds what is generated in the events of a stream, one place after the other, without parsing them: `next` moves to the
 * next place. It sees every event of every stream.
 */
export class GeneratedTextReader {
  kind: GeneratedKind = 'other';
  /** Where the text begins and ends, as it is in the JSON, escapes included; both the same where it is no text. */
  start = 0;
  end = 0;
  readonly #format: Format;

  constructor(shape: CompletionShape) {
    this.#format = formats[shape];
  }

  /** Searches from `from` on. Returns false if nothing more is generated in these events. */
  next(events: Buffer, from: number): boolean {
    const { marker } = this.#format;
    let at = findMarker(marker, events, from);
    while (at !== -1) {
      const found = this.#format.readAt(events, at + marker.bytes.length);
      if (found.kind !== 'none') {
        this.#set(found.kind, events, at + marker.bytes.length + found.skip);
        return true;
      }
      at = findMarker(marker, events, at + marker.bytes.length);
    }
    return false;
  }

  /** Whether the same delta has another member behind the text. */
  hasMore(events: Buffer): boolean {
    return this.#format.isOnlyMember && events[this.end + 1] === COMMA;
  }

  #set(kind: GeneratedKind, events: Buffer, start: number): void {
    this.kind = kind;
    this.start = start;
    this.end = kind === 'other' ? start : findStringEnd(events, start);
  }
}

const COMMA = 0x2c;
const QUOTE = 0x22;

interface Found {
  readonly kind: GeneratedKind | 'none';
  /** How far after the marker its text begins. */
  readonly skip: number;
}

interface Format {
  /** Only events with generated text have these bytes; inside a JSON string their quotes would be escaped. */
  readonly marker: Marker;
  /** Whether the text is the only member of its object. */
  readonly isOnlyMember: boolean;
  /** What follows the marker. */
  readAt(events: Buffer, at: number): Found;
}

const none: Found = { kind: 'none', skip: 0 };
const other: Found = { kind: 'other', skip: 0 };
const contentAtMarker: Found = { kind: 'content', skip: 0 };

interface Choice {
  readonly text: Buffer;
  readonly found: Found;
}

const choice = (text: string, found: Found): Choice => ({ text: Buffer.from(text), found });
const textAfter = (kind: GeneratedKind, opening: string) => choice(opening, { kind, skip: opening.length });

function choose(...choices: readonly Choice[]) {
  return (events: Buffer, at: number): Found => {
    for (const { text, found } of choices) if (matchesAt(text, events, at)) return found;
    return other;
  };
}

const LF = 0x0a;
const firstType = Buffer.from('data: {"type":"');
const typeMarker = Buffer.from('"type":"');
const outputText = Buffer.from('response.output_text.delta"');

const formats: Readonly<Record<CompletionShape, Format>> = {
  chat: {
    marker: createMarker('"delta":{"', '{'),
    isOnlyMember: true,
    readAt: choose(
      textAfter('content', 'content":"'),
      textAfter('reasoning', 'reasoning_content":"'),
      choice('role"', none),
    ),
  },
  completion: {
    marker: createMarker('"text":"', 'x'),
    isOnlyMember: false,
    readAt: (events, at) => (events[at] === QUOTE ? none : contentAtMarker),
  },
  message: {
    marker: createMarker('"delta":{"type":"', '{'),
    isOnlyMember: true,
    readAt: choose(textAfter('content', 'text_delta","text":"'), choice('signature_delta', none)),
  },
  response: {
    marker: createMarker('"delta":"', ':'),
    isOnlyMember: false,
    readAt(events, at) {
      return matchesAt(outputText, events, findType(events, at)) ? contentAtMarker : other;
    },
  },
};

/** Where the type of an event begins whose delta is at `at`. In llama-server's events it is the first member. */
function findType(events: Buffer, at: number): number {
  const line = events.lastIndexOf(LF, at) + 1;
  if (matchesAt(firstType, events, line)) return line + firstType.length;
  return events.lastIndexOf(typeMarker, at) + typeMarker.length;
}
