import { parseBackendError } from './backend-error.ts';
import type { StreamFormatter } from './response-format.ts';
import type { Dialect } from './route-table.ts';

/** Whether the end of a stream says that the answer is complete, or that it failed and the client was told. */
export function hasEnded(dialect: Dialect, tail: string): boolean {
  // As nearly every stream ends: nothing to search for.
  if (dialect === 'openai' && tail.endsWith('\ndata: [DONE]\n\n')) return true;
  return endMarks[dialect].test(tail) || hasFailed(tail);
}

/** Whether the client was told that the answer failed. */
export const hasFailed = (tail: string): boolean => errorMark.test(tail);

/** At the start of a line only: a model may speak of `data: [DONE]` in the middle of its sentence. */
const endMarks: Readonly<Record<Dialect, RegExp>> = {
  openai: /^data: \[DONE\]/m,
  responses: /^event: response\.(?:completed|incomplete|failed)$/m,
  anthropic: /^event: message_stop$/m,
  native: /^data: (?:\[DONE\]|\{.*"stop":true)/m,
};

/** What ends a stream of which all has been said. Responses and native streams say their last word and end in one event. */
export function endMarker(dialect: Dialect): string {
  return dialect === 'anthropic'
    ? 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    : 'data: [DONE]\n\n';
}

/** The code of the error that such an end tells of; undefined where it tells of none. */
export function readErrorCode(tail: string): string | undefined {
  if (!tail.includes('error') || !errorMark.test(tail)) return undefined;
  return /"code":"(\w+)"/.exec(tail.slice(tail.search(errorMark)))?.[1] ?? 'engine_error';
}

const errorMark = /^(?:event: error$|data: \{"error":|error: \{)/m;

/** llama-server's own error events carry a numeric code; clients are promised the same envelope everywhere. */
export function normalizeErrorEvents(voice: StreamFormatter, events: Buffer, hasOutput: boolean): Buffer {
  if (!events.includes('data: {"error":') && !events.includes('error: {')) return events;
  const mended = events
    .toString()
    .split('\n\n')
    .map((event) => mendEvent(voice, event, hasOutput));
  return Buffer.from(mended.join('\n\n'));
}

/** The body of llama-server's own error event; undefined for any other. */
export function readErrorEvent(event: string): string | undefined {
  return /^(?:event: error\n)?(?:data: (?=\{"error":)|error: )(\{.*\})$/s.exec(event)?.[1];
}

function mendEvent(voice: StreamFormatter, event: string, hasOutput: boolean): string {
  const body = readErrorEvent(event);
  if (body === undefined) return event;
  return voice.error(parseBackendError(500, body, { hasOutput })).trimEnd();
}
