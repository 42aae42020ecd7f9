import { formatEvent, mapEvents } from '../../sse/sse.ts';
import { parseBackendError } from './backend-error.ts';
import { anthropicEnvelope, openAIEnvelope } from './error-response.ts';
import type { Dialect } from './route-table.ts';
import { areOrdinary, readErrorEvent } from './stream-markers.ts';

/** Rewrites an engine's response to what its API promises. Every response has its own rewriter. */
export interface ResponseRewriter {
  /** Complete events of a stream, in their order. */
  rewriteEvents(events: Buffer): Buffer;
  /** The body of a JSON response. */
  rewriteBody(body: Buffer): Buffer;
}

/** The error of a response that cannot be completed. */
export interface StreamError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** Formats the events that the gateway itself adds to a stream. */
export interface StreamFormatter {
  /** Events that show that the stream is alive; empty where the API has no such event, and a comment is sent instead. */
  keepAlive(): string;
  /** The events that end a stream which cannot be completed. */
  error(error: StreamError): string;
}

/** For APIs whose formatter has no state. That of Responses is the ResponsesApiRewriter, because all events are numbered. */
export function getStreamFormatter(dialect: Exclude<Dialect, 'responses'>): StreamFormatter {
  return dialect === 'anthropic' ? anthropic : openai;
}

/** The error has no event name: the Python SDK reads a named one as an ordinary chunk. */
const openai: StreamFormatter = {
  keepAlive: () => '',
  error: ({ message, type, code }) => formatEvent(openAIEnvelope({ message, type, code, param: null })),
};

/** Anthropic's clients accept only events as a sign of life, and ignore this one at any place. */
const anthropic: StreamFormatter = {
  keepAlive: () => formatEvent({ type: 'ping' }, 'ping'),
  error({ status, message, type, code }) {
    const { request_id: _, ...error } = anthropicEnvelope(status, { message, type, code, param: null }, '');
    return formatEvent(error, 'error');
  },
};

/** Gives llama-server's own error events, whose code is a number, the envelope that clients are promised. */
export function normalizeErrorEvents(formatter: StreamFormatter, events: Buffer, hasOutput: boolean): Buffer {
  if (areOrdinary(events)) return events;
  return mapEvents(events, (event) => {
    const body = readErrorEvent(event);
    if (body === undefined) return event;
    return formatter.error(parseBackendError(500, body, { hasOutput })).trimEnd();
  });
}
