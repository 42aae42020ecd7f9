import { findEventEnd } from '../../sse/sse.ts';
import { findStringEnd } from '../api/json.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { matchesAt } from '../api/stream-markers.ts';

/** The text of a stream so far, as far as it can be given to an engine again. */
export interface TranscriptText {
  readonly content: string;
  /** The reasoning before the content. Only in a chat can it be given back. */
  readonly reasoning: string;
}

/**
 * Keeps what a stream has sent to its client, so that another engine can continue from there. It sees every event of every
 * stream, so it parses nothing: the text is copied as it is in the JSON, escapes included.
 */
export class Transcript {
  /** Events with generated text so far: about one per token. */
  generated = 0;
  readonly #reader: TokenReader;
  readonly #content = new GrowingBuffer();
  readonly #reasoning = new GrowingBuffer();
  #opening: Buffer[] = [];
  /** The chunk with the last generated text, where in it that text ends, and the chunks after it. */
  #lastChunk: Buffer = Buffer.alloc(0);
  #lastTextEnd = 0;
  #after: Buffer[] = [];
  #hasOtherContent = false;

  constructor(shape: CompletionShape) {
    this.#reader = readers[shape];
  }

  /** Complete events, in their order. Returns how many of them have generated text. */
  add(events: Buffer): number {
    if (this.generated === 0) this.#opening.push(events);
    const { marker, readAt } = this.#reader;
    let found = 0;
    for (let at = events.indexOf(marker); at !== -1; at = events.indexOf(marker, at)) {
      at += marker.length;
      const { kind, skip } = readAt(events, at);
      if (kind === 'none') continue;
      found += 1;
      at = this.#copy(kind, events, at + skip);
      this.#lastTextEnd = at;
    }
    this.generated += found;
    if (found > 0) this.#setLastChunk(events);
    else if (this.generated > 0) this.#after.push(events);
    return found;
  }

  /** Something was generated that is not text: a tool call, a signature, a part of an unknown kind. */
  get hasOtherContent(): boolean {
    return this.#hasOtherContent;
  }

  get text(): TranscriptText {
    return { content: unescapeJson(this.#content), reasoning: unescapeJson(this.#reasoning) };
  }

  /** The events up to the first generated text, which have the id and the time of the response. */
  get opening(): string {
    return Buffer.concat(this.#opening).toString();
  }

  /** The events after the last generated text, with which the response began to end. */
  get closing(): string {
    const end = findEventEnd(this.#lastChunk, this.#lastTextEnd);
    const rest = end === -1 ? [] : [this.#lastChunk.subarray(end)];
    return Buffer.concat([...rest, ...this.#after]).toString();
  }

  #setLastChunk(lastChunk: Buffer): void {
    this.#lastChunk = lastChunk;
    if (this.#after.length > 0) this.#after = [];
  }

  /** Returns where to continue the search. */
  #copy(kind: Kind, events: Buffer, from: number): number {
    if (kind === 'other') {
      this.#hasOtherContent = true;
      return from;
    }
    const end = findStringEnd(events, from);
    (kind === 'content' ? this.#content : this.#reasoning).add(events, from, end);
    // The same delta has another member.
    if (events[end + 1] === COMMA && this.#reader.isOnlyMember) this.#hasOtherContent = true;
    return end;
  }
}

const COMMA = 0x2c;
const QUOTE = 0x22;

const unescapeJson = (bytes: GrowingBuffer) => JSON.parse(`"${bytes}"`) as string;

const INITIAL_SIZE = 1024;
/** Below this size a loop is faster than a call into Node. */
const SHORT = 32;

/** Bytes that are appended to, in one buffer that doubles. */
class GrowingBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** Appends the bytes of `source` from `start` up to `end`. */
  add(source: Buffer, start: number, end: number): void {
    const size = end - start;
    this.#ensureSpace(size);
    if (size > SHORT) source.copy(this.#bytes, this.#length, start, end);
    else for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = source[start + i] ?? 0;
    this.#length += size;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  #ensureSpace(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, INITIAL_SIZE));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

type Kind = 'content' | 'reasoning' | 'other';

interface FoundToken {
  readonly kind: Kind | 'none';
  /** How far after the marker its text begins. */
  readonly skip: number;
}

interface TokenReader {
  /** Only events with generated text have these bytes; inside a JSON string their quotes would be escaped. */
  readonly marker: Buffer;
  /** Whether the text is the only member of its object. */
  readonly isOnlyMember: boolean;
  /** What follows the marker. */
  readAt(events: Buffer, at: number): FoundToken;
}

const none: FoundToken = { kind: 'none', skip: 0 };
const other: FoundToken = { kind: 'other', skip: 0 };
const contentAtMarker: FoundToken = { kind: 'content', skip: 0 };

function choose(...choices: readonly (readonly [string, FoundToken])[]) {
  const known = choices.map(([text, found]) => [Buffer.from(text), found] as const);
  return (events: Buffer, at: number): FoundToken => {
    for (const [text, found] of known) if (matchesAt(text, events, at)) return found;
    return other;
  };
}

const textAfter = (kind: Kind, opening: string) => [opening, { kind, skip: opening.length }] as const;

const typeMarker = Buffer.from('"type":"');
const outputText = Buffer.from('response.output_text.delta"');

const readers: Readonly<Record<CompletionShape, TokenReader>> = {
  chat: {
    marker: Buffer.from('"delta":{"'),
    isOnlyMember: true,
    readAt: choose(textAfter('content', 'content":"'), textAfter('reasoning', 'reasoning_content":"'), [
      'role"',
      none,
    ]),
  },
  completion: {
    marker: Buffer.from('"text":"'),
    isOnlyMember: false,
    readAt: (events, at) => (events[at] === QUOTE ? none : contentAtMarker),
  },
  message: {
    marker: Buffer.from('"delta":{"type":"'),
    isOnlyMember: true,
    readAt: choose(textAfter('content', 'text_delta","text":"'), ['signature_delta', none]),
  },
  response: {
    marker: Buffer.from('"delta":"'),
    isOnlyMember: false,
    readAt(events, at) {
      const type = events.lastIndexOf(typeMarker, at) + typeMarker.length;
      return matchesAt(outputText, events, type) ? contentAtMarker : other;
    },
  },
};
