import { findEventEnd, formatEvent } from '../../sse/sse.ts';
import type { Dialect } from './route-table.ts';

/** At the start of a line only: generated text may contain `data: [DONE]`. */
const endMarkers: Readonly<Record<Dialect, RegExp>> = {
  openai: /^data: \[DONE\]/m,
  responses: /^event: response\.(?:completed|incomplete|failed)$/m,
  anthropic: /^event: message_stop$/m,
  native: /^data: (?:\[DONE\]|\{.*"stop":true)/m,
};
const errorMarker = /^(?:event: error$|data: \{"error":|error: \{)/m;

/** Whether the end of a stream shows that the response is complete, or that it failed with an error event. */
export function hasEnded(dialect: Dialect, tail: string): boolean {
  // Nearly every stream ends like this: nothing to search for.
  if (dialect === 'openai' && tail.endsWith('\ndata: [DONE]\n\n')) return true;
  return endMarkers[dialect].test(tail) || hasFailed(tail);
}

/** Whether the stream ends with an error event. */
export const hasFailed = (tail: string): boolean => errorMarker.test(tail);

/** The end marker of a stream. In Responses and native streams it is part of the last event, so theirs is never needed. */
export function endMarker(dialect: Dialect): string {
  return dialect === 'anthropic'
    ? formatEvent({ type: 'message_stop' }, 'message_stop')
    : formatEvent('[DONE]');
}

/** The code of the error event that ends a stream; undefined if there is none. */
export function readErrorCode(tail: string): string | undefined {
  if (!tail.includes('error') || !errorMarker.test(tail)) return undefined;
  return /"code":"(\w+)"/.exec(tail.slice(tail.search(errorMarker)))?.[1] ?? 'engine_error';
}

/** The body of llama-server's own error event; undefined for any other event. */
export function readErrorEvent(event: string): string | undefined {
  return /^(?:event: error\n)?(?:data: (?=\{"error":)|error: )(\{.*\})$/s.exec(event)?.[1];
}

const data = Buffer.from('data: ');
const errorMember = Buffer.from('"error":');
const name = Buffer.from('event: ');
const errorName = Buffer.from('error\n');
const letter = { brace: 0x7b, bracket: 0x5b } as const;

/**
 * Whether every one of these events has data, and none reports an error. Cheap, as every chunk of every stream is checked: what
 * is searched for only stands where an event begins.
 */
export function areOrdinary(events: Buffer): boolean {
  let at = 0;
  while (at !== -1 && at < events.length) {
    if (!isOrdinary(events, at)) return false;
    at = findEventEnd(events, at);
  }
  return true;
}

function isOrdinary(events: Buffer, at: number): boolean {
  if (!matchesAt(data, events, at))
    return matchesAt(name, events, at) && !matchesAt(errorName, events, at + name.length);
  const value = at + data.length;
  if (events[value] === letter.brace) return !matchesAt(errorMember, events, value + 1);
  return events[value] === letter.bracket;
}

/** Bytes to search for by the one of them that is rarest: a search for one byte is several times faster than one for many. */
export interface Marker {
  readonly bytes: Buffer;
  readonly rareByte: number;
  readonly rareAt: number;
}

export function createMarker(text: string, rare: string): Marker {
  return { bytes: Buffer.from(text), rareByte: rare.charCodeAt(0), rareAt: text.lastIndexOf(rare) };
}

/** The position of the marker at `from` or after it; -1 if there is none. */
export function findMarker({ bytes, rareByte, rareAt }: Marker, events: Buffer, from: number): number {
  let at = events.indexOf(rareByte, from + rareAt);
  while (at !== -1 && !matchesAt(bytes, events, at - rareAt)) at = events.indexOf(rareByte, at + 1);
  return at === -1 ? -1 : at - rareAt;
}

/** Whether `wanted` is in `bytes` at `at`. A loop: a call into Node costs more than these few bytes. */
export function matchesAt(wanted: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** As `matchesAt`, for many bytes. */
export function equalsAt(wanted: Buffer, bytes: Buffer, at: number): boolean {
  const end = at + wanted.length;
  return end <= bytes.length && wanted.compare(bytes, at, end) === 0;
}

interface TextMarker {
  readonly marker: Marker;
  /** What follows in an event without text, such as the empty text of the last event. */
  readonly unless: Buffer;
}

function textMarker(text: string, rare: string, unless: string): TextMarker {
  return { marker: createMarker(text, rare), unless: Buffer.from(unless) };
}

/** Bytes that only an event with generated text has; inside a JSON string their quotes would be escaped. */
const textMarkers: Readonly<Record<Dialect, readonly TextMarker[]>> = {
  openai: [textMarker('"delta":{"', '{', 'role"'), textMarker('"text":"', 'x', '"')],
  responses: [textMarker('"delta":"', ':', '"')],
  anthropic: [textMarker('"delta":{"type":"', '{', 'signature_delta')],
  native: [textMarker('"content":"', ':', '"')],
};

/**
 * How many of these events have generated text. llama-server sends one per token, apart from tokens that form one
 * character together. Cheap enough for every chunk of every stream.
 */
export function countGeneratedEvents(dialect: Dialect, events: Buffer): number {
  for (const one of textMarkers[dialect]) {
    const found = countTexts(one, events);
    if (found > 0) return found;
  }
  return 0;
}

function countTexts({ marker, unless }: TextMarker, events: Buffer): number {
  let found = 0;
  let at = findMarker(marker, events, 0);
  while (at !== -1) {
    const next = at + marker.bytes.length;
    if (!matchesAt(unless, events, next)) found += 1;
    at = findMarker(marker, events, next);
  }
  return found;
}

const dataStart = Buffer.from('data: {');
const errorStart = Buffer.from('data: {"error":');
const notStopped = Buffer.from('"stop":false');
const stopped = Buffer.from('"stop":true');
const LF = 0x0a;

/**
 * Detects the end of a native stream, which has one final event for each choice of each prompt. An event is final unless
 * it has `"stop":false`: `response_fields` may remove `"stop":true`, and only that.
 */
export class NativeStreamEnd {
  readonly #expected: number;
  #seen = 0;
  /** All final events so far had `"stop":true`. */
  #areExplicit = true;

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Complete events, in their order. */
  add(events: Buffer): void {
    const finals = countLines(dataStart, events) - countLines(errorStart, events) - count(notStopped, events);
    if (finals <= 0) return;
    this.#seen += finals;
    if (count(stopped, events) < finals) this.#areExplicit = false;
  }

  /** Whether the stream is complete. Without `"stop":true` that is only certain if the backend closed it in good order. */
  isComplete(closedInOrder: boolean): boolean {
    return this.#seen >= this.#expected && (this.#areExplicit || closedInOrder);
  }
}

/** Lines that begin so. Inside a JSON string a line end would be escaped. */
function countLines(start: Buffer, events: Buffer): number {
  let found = 0;
  for (let at = events.indexOf(start); at !== -1; at = events.indexOf(start, at + start.length)) {
    if (at === 0 || events[at - 1] === LF) found += 1;
  }
  return found;
}

function count(wanted: Buffer, events: Buffer): number {
  let found = 0;
  for (let at = events.indexOf(wanted); at !== -1; at = events.indexOf(wanted, at + wanted.length))
    found += 1;
  return found;
}
