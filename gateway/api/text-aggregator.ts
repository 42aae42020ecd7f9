import { findEventEnd, getEventData } from '../../sse/sse.ts';
import type { Aggregator, EventAggregator } from './aggregation.ts';
import { GeneratedTextReader } from './generated-text.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { findStringEnd } from './json.ts';
import type { CompletionShape } from './route-table.ts';
import { areOrdinary, equalsAt } from './stream-markers.ts';

/**
 * Joins events that differ in their text alone to one event with the whole text. That is nearly all of a stream, and parsing
 * them one by one would cost more than all else.
 */
export class TextAggregator implements Aggregator {
  readonly #aggregator: EventAggregator;
  readonly #reader: GeneratedTextReader;
  #run: TextRun | undefined;

  constructor(shape: CompletionShape, aggregator: EventAggregator) {
    this.#aggregator = aggregator;
    this.#reader = new GeneratedTextReader(shape);
  }

  addText(events: Buffer, at: number): number {
    const end = this.#run?.tryAppend(events, at) ?? -1;
    if (end !== -1) return end;
    this.#addRun();
    this.#run = this.#tryBegin(events, at);
    return this.#run?.tryAppend(events, at) ?? -1;
  }

  add(event: unknown): void {
    this.#addRun();
    this.#aggregator.add(event);
  }

  result(): object | undefined {
    this.#addRun();
    return this.#aggregator.result();
  }

  #addRun(): void {
    const data = this.#run && getEventData(this.#run.toString());
    this.#run = undefined;
    if (data !== undefined) this.#aggregator.add(JSON.parse(data));
  }

  /** Undefined if the event has more than one text, or something beside it that is collected as well. */
  #tryBegin(events: Buffer, at: number): TextRun | undefined {
    const reader = this.#reader;
    const eventEnd = findEventEnd(events, at);
    if (eventEnd === -1) return undefined;
    const event = events.subarray(at, eventEnd);
    if (!areOrdinary(event) || !reader.next(event, 0)) return undefined;
    const { kind, start, end } = reader;
    if (kind === 'other' || reader.hasMore(event) || reader.next(event, end)) return undefined;
    if (logprobs.test(event.toString('latin1'))) return undefined;
    return new TextRun(event.subarray(0, start), event.subarray(end));
  }
}

const logprobs = /"logprobs":(?!null)/;

/** Events that have the same bytes before and after their text. */
class TextRun {
  readonly #before: Buffer;
  readonly #after: Buffer;
  readonly #text = new GrowingBuffer();

  constructor(before: Buffer, after: Buffer) {
    this.#before = before;
    this.#after = after;
  }

  /** Returns where the event at `at` ends; -1 if it does not belong here. */
  tryAppend(events: Buffer, at: number): number {
    if (!equalsAt(this.#before, events, at)) return -1;
    const start = at + this.#before.length;
    const end = findStringEnd(events, start);
    if (!equalsAt(this.#after, events, end)) return -1;
    this.#text.add(events, start, end);
    return end + this.#after.length;
  }

  /** One event with all their text. */
  toString(): string {
    return `${this.#before}${this.#text}${this.#after}`;
  }
}
