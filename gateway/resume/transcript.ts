import { findEventEnd } from '../../sse/sse.ts';
import { GeneratedTextReader } from '../api/generated-text.ts';
import { GrowingBuffer } from '../api/growing-buffer.ts';
import type { CompletionShape } from '../api/route-table.ts';

const noBytes: Buffer = Buffer.alloc(0);

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
  readonly #reader: GeneratedTextReader;
  readonly #content = new GrowingBuffer();
  readonly #reasoning = new GrowingBuffer();
  #opening: Buffer[] = [];
  /** The chunk with the last generated text, where in it that text ends, and the chunks after it. */
  #lastChunk = noBytes;
  #lastTextEnd = 0;
  #after: Buffer[] = [];
  #hasOtherContent = false;

  constructor(shape: CompletionShape) {
    this.#reader = new GeneratedTextReader(shape);
  }

  /** Complete events, in their order. Returns how many of them have generated text. */
  add(events: Buffer): number {
    if (this.generated === 0) this.#opening.push(events);
    const reader = this.#reader;
    let found = 0;
    for (let at = 0; reader.next(events, at); at = reader.end) {
      found += 1;
      this.#copyText(events);
      this.#lastTextEnd = reader.end;
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

  #copyText(events: Buffer): void {
    const { kind, start, end } = this.#reader;
    if (kind === 'content') this.#content.add(events, start, end);
    else if (kind === 'reasoning') this.#reasoning.add(events, start, end);
    if (kind === 'other' || this.#reader.hasMore(events)) this.#hasOtherContent = true;
  }
}

const unescapeJson = (bytes: GrowingBuffer) => JSON.parse(`"${bytes}"`) as string;
