import { findEventEnd } from '../../sse/sse.ts';
import { findStringEnd } from '../api/json-text.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { matchesAt } from '../api/stream-markers.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** What a stream has said so far, as far as it can be said again to an engine. */
export interface TranscriptText {
  readonly content: string;
  /** What was thought before the content; only a chat tells it in a way that can be given back. */
  readonly reasoning: string;
}

/**
 * Keeps what a stream has told its client, so that another engine can go on from there. It sees every event of every
 * stream: nothing is parsed here, the text is copied as it stands in the JSON, escapes and all.
 */
export class Transcript {
  /** Events with generated text so far: about one a token. */
  generated = 0;
  readonly #take: Taker;
  readonly #content = new GrowingBuffer();
  readonly #reasoning = new GrowingBuffer();
  #opening: Buffer[] = [];
  /** The piece with the last generated text, where in it that ends, and the pieces behind it. */
  #lastPiece: Buffer = Buffer.alloc(0);
  #lastTextAt = 0;
  #after: Buffer[] = [];
  #isBeyondText = false;

  constructor(shape: CompletionShape) {
    this.#take = takers[shape];
  }

  /** Of whole events, in their order; answers how many of them bring generated text. */
  add(events: Buffer): number {
    if (this.generated === 0) this.#opening.push(events);
    const { mark, kindAt } = this.#take;
    let found = 0;
    for (let at = events.indexOf(mark); at !== -1; at = events.indexOf(mark, at)) {
      at += mark.length;
      const { kind, skip } = kindAt(events, at);
      if (kind === 'framing') continue;
      found += 1;
      at = this.#keep(kind, events, at + skip);
      this.#lastTextAt = at;
    }
    this.generated += found;
    if (found > 0) this.#begin(events);
    else if (this.generated > 0) this.#after.push(events);
    return found;
  }

  /** Something was generated that is no text: a tool call, a signature, a part of a kind not known here. */
  get hasOtherContent(): boolean {
    return this.#isBeyondText;
  }

  get text(): TranscriptText {
    return { content: unescaped(this.#content), reasoning: unescaped(this.#reasoning) };
  }

  /** The events up to the first generated text, where the answer's names and times stand. */
  get opening(): string {
    return Buffer.concat(this.#opening).toString();
  }

  /** The events behind the last generated text, with which the answer began to end. */
  get closing(): string {
    const end = findEventEnd(this.#lastPiece, this.#lastTextAt);
    const rest = end === -1 ? [] : [this.#lastPiece.subarray(end)];
    return Buffer.concat([...rest, ...this.#after]).toString();
  }

  #begin(lastPiece: Buffer): void {
    this.#lastPiece = lastPiece;
    if (this.#after.length > 0) this.#after = [];
  }

  /** Answers where to look on. */
  #keep(kind: Kind, events: Buffer, from: number): number {
    if (kind === 'other') {
      this.#isBeyondText = true;
      return from;
    }
    const end = findStringEnd(events, from);
    (kind === 'content' ? this.#content : this.#reasoning).add(events, from, end);
    // Another member beside it in the same delta.
    if (events[end + 1] === comma && this.#take.standsAlone) this.#isBeyondText = true;
    return end;
  }
}

const comma = 0x2c;

const unescaped = (bytes: GrowingBuffer) => JSON.parse(`"${bytes}"`) as string;

type Kind = 'content' | 'reasoning' | 'other';

interface Found {
  readonly kind: Kind | 'framing';
  /** How far behind the mark its text begins. */
  readonly skip: number;
}

interface Taker {
  /** By what an event with generated text is known; inside a JSON string the quotes would be escaped. */
  readonly mark: Buffer;
  /** Whether the text is the only member where it stands. */
  readonly standsAlone: boolean;
  /** What stands behind the mark. */
  kindAt(events: Buffer, at: number): Found;
}

const framing: Found = { kind: 'framing', skip: 0 };
const other: Found = { kind: 'other', skip: 0 };
const bareContent: Found = { kind: 'content', skip: 0 };

function choose(...choices: readonly (readonly [string, Found])[]) {
  const known = choices.map(([text, found]) => [Buffer.from(text), found] as const);
  return (events: Buffer, at: number): Found => {
    for (const [text, found] of known) if (matchesAt(text, events, at)) return found;
    return other;
  };
}

const textOf = (kind: Kind, opening: string) => [opening, { kind, skip: opening.length }] as const;

const typeMark = Buffer.from('"type":"');
const outputText = Buffer.from('response.output_text.delta"');

const takers: Readonly<Record<CompletionShape, Taker>> = {
  chat: {
    mark: Buffer.from('"delta":{"'),
    standsAlone: true,
    kindAt: choose(textOf('content', 'content":"'), textOf('reasoning', 'reasoning_content":"'), [
      'role"',
      framing,
    ]),
  },
  completion: {
    mark: Buffer.from('"text":"'),
    standsAlone: false,
    kindAt: (events, at) => (events[at] === 0x22 ? framing : bareContent),
  },
  message: {
    mark: Buffer.from('"delta":{"type":"'),
    standsAlone: true,
    kindAt: choose(textOf('content', 'text_delta","text":"'), ['signature_delta', framing]),
  },
  response: {
    mark: Buffer.from('"delta":"'),
    standsAlone: false,
    kindAt(events, at) {
      const type = events.lastIndexOf(typeMark, at) + typeMark.length;
      return matchesAt(outputText, events, type) ? bareContent : other;
    },
  },
};
