import type { IncomingHttpHeaders } from 'node:http';
import { streamHeaders } from './stream-headers.ts';

/**
 * What may travel, in either direction. Anything else stays here: credentials, `Origin`, hop-by-hop headers, and
 * llama-server's `X-Conversation-Id`, which would let a client read or cancel another's stream.
 */
const requestHeaders = [
  'content-type',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'traceparent',
] as const;

export function headersForBackend(
  given: IncomingHttpHeaders,
  requestId: string,
  apiKey: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'x-request-id': requestId };
  for (const name of requestHeaders) {
    const value = given[name];
    if (typeof value === 'string') headers[name] = value;
  }
  headers['content-type'] ??= 'application/json';
  if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
  return headers;
}

export interface RequestTimings {
  readonly queuedMs: number;
  readonly processingMs: number;
}

/** The head of a relayed answer; request id and CORS headers stand on the response already. */
export function headersForClient(
  backend: IncomingHttpHeaders,
  { queuedMs, processingMs }: RequestTimings,
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': backend['content-type'] ?? 'application/json; charset=utf-8',
    'x-queue-wait-ms': String(Math.round(queuedMs)),
    'openai-processing-ms': String(Math.round(processingMs)),
  };
  if (isEventStream(backend)) {
    Object.assign(headers, streamHeaders);
  } else if (backend['content-length'] !== undefined) {
    headers['content-length'] = backend['content-length'];
  }
  return headers;
}

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false;
}
