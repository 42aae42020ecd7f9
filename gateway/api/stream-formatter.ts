import type { StreamError } from '../upstream/relay.ts';
import { anthropicEnvelope } from './anthropic/error-envelope.ts';
import { openAIEnvelope } from './openai/error-envelope.ts';
import type { Dialect } from './route-table.ts';

/** What is said in a stream beside its answer, in the words of its API. */
export interface StreamFormatter {
  /** Events that show a client that its stream lives; none where its API knows no such event, and a comment has to do. */
  keepAlive(): string;
  /** The events that end a stream which cannot be finished. */
  error(broken: StreamError): string;
}

/** Of the APIs whose voice remembers nothing: of Responses it is the ResponseMender, as all events are numbered. */
export function getStreamFormatter(dialect: Exclude<Dialect, 'responses'>): StreamFormatter {
  return dialect === 'anthropic' ? anthropic : openai;
}

/** The error has no event name: the Python SDK reads a named one as an ordinary chunk (facts/platforms.md, section 10). */
const openai: StreamFormatter = {
  keepAlive: () => '',
  error: ({ message, type, code }) =>
    `data: ${JSON.stringify(openAIEnvelope({ message, type, code, param: null }))}\n\n`,
};

/** Anthropic's clients count only events for a sign of life, and skip this one wherever it stands. */
const anthropic: StreamFormatter = {
  keepAlive: () => 'event: ping\ndata: {"type":"ping"}\n\n',
  error({ status, message, type, code }) {
    const { request_id: _, ...error } = anthropicEnvelope(status, { message, type, code, param: null }, '');
    return `event: error\ndata: ${JSON.stringify(error)}\n\n`;
  },
};
