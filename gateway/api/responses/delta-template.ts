import { findEventEnd } from '../../../sse/sse.ts';
import { findStringEnd } from '../json.ts';
import { equalsAt } from '../stream-markers.ts';

const DELTA = '"delta":"';
const LF = 0x0a;
const SPACE = 0x20;
const BACKSLASH = 0x5c;

/** A delta and what became of it. The next ones, which differ in their text alone, need not be parsed. */
export class DeltaTemplate {
  readonly #before: Buffer;
  readonly #after: Buffer;
  readonly #rewrittenBefore: string;
  readonly #rewrittenAfter: string;

  /** Undefined if it is another event, or if this one does not show what becomes of its text. */
  static from(event: Buffer, rewritten: string, sequenceNumber: number): DeltaTemplate | undefined {
    const name = event.toString('latin1', 0, Math.max(event.indexOf(LF), 0));
    if (!name.endsWith('.delta') || findEventEnd(event, 0) !== event.length) return undefined;
    const start = event.indexOf(DELTA) + DELTA.length;
    const end = findStringEnd(event, start);
    if (!isUnescaped(event, start, end)) return undefined;
    const text = event.toString('utf8', start, end);
    const before = rewritten.slice(0, rewritten.indexOf(DELTA) + DELTA.length);
    const after = rewritten.slice(before.length + text.length, rewritten.lastIndexOf(`${sequenceNumber}`));
    const template = new DeltaTemplate(event.subarray(0, start), event.subarray(end), before, after);
    return template.#format(text, sequenceNumber) === rewritten ? template : undefined;
  }

  private constructor(before: Buffer, after: Buffer, rewrittenBefore: string, rewrittenAfter: string) {
    this.#before = before;
    this.#after = after;
    this.#rewrittenBefore = rewrittenBefore;
    this.#rewrittenAfter = rewrittenAfter;
  }

  /** Where the event at `at` ends; -1 if it is to be parsed. */
  findEnd(events: Buffer, at: number): number {
    if (!equalsAt(this.#before, events, at)) return -1;
    const start = at + this.#before.length;
    const end = findStringEnd(events, start);
    return equalsAt(this.#after, events, end) && isUnescaped(events, start, end)
      ? end + this.#after.length
      : -1;
  }

  /** What becomes of the event between `at` and `end`. */
  rewrite(events: Buffer, at: number, end: number, sequenceNumber: number): string {
    const [textStart, textEnd] = [at + this.#before.length, end - this.#after.length];
    return this.#format(events.toString('utf8', textStart, textEnd), sequenceNumber);
  }

  #format(text: string, sequenceNumber: number): string {
    return `${this.#rewrittenBefore}${text}${this.#rewrittenAfter}${sequenceNumber}}\n\n`;
  }
}

/** Whether parsing and writing the text again would not change it. */
function isUnescaped(events: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = events[at] ?? 0;
    if (byte === BACKSLASH || byte < SPACE) return false;
  }
  return true;
}
