import type { IncomingHttpHeaders } from 'node:http';

/**
 * The headers of a request to the backend, names and values in turn. No others pass in either direction: not credentials,
 * `Origin`, hop-by-hop headers, nor llama-server's `X-Conversation-Id`, with which a client could read or cancel the stream
 * of another. `traceparent`: our own, in place of the client's.
 */
export function headersForBackend(
  incoming: IncomingHttpHeaders,
  requestId: string,
  apiKey: string | undefined,
  traceparent = incoming.traceparent,
): string[] {
  const headers = ['x-request-id', requestId, 'content-type', incoming['content-type'] ?? 'application/json'];
  pass(headers, 'accept', incoming.accept);
  pass(headers, 'anthropic-version', incoming['anthropic-version']);
  pass(headers, 'anthropic-beta', incoming['anthropic-beta']);
  pass(headers, 'traceparent', traceparent);
  if (apiKey !== undefined) headers.push('authorization', `Bearer ${apiKey}`);
  return headers;
}

function pass(headers: string[], name: string, value: string | string[] | undefined): void {
  if (typeof value === 'string') headers.push(name, value);
}

export interface RequestTimings {
  readonly queuedMs: number;
  readonly processingMs: number;
}

/** On all streams: proxies must not cache, buffer or compress them. Compressing means buffering, too. */
const streamHeaders = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' } as const;

/** The headers of a response that begins before the backend has sent one. */
export const earlyHeaders = {
  events: { 'content-type': 'text/event-stream', ...streamHeaders },
  json: { 'content-type': 'application/json; charset=utf-8', ...streamHeaders },
} as const;

/**
 * The headers of a relayed response. Request id and CORS headers are set on it already. `contentLength`: that of the backend
 * unless the body is rewritten; undefined if it is not known.
 */
export function headersForClient(
  backend: IncomingHttpHeaders,
  { queuedMs, processingMs }: RequestTimings,
  contentLength = backend['content-length'],
): Record<string, string> {
  const type = backend['content-type'] ?? 'application/json; charset=utf-8';
  const queued = String(Math.round(queuedMs));
  const processing = String(Math.round(processingMs));
  if (isEventStream(backend))
    return {
      'content-type': type,
      'x-queue-wait-ms': queued,
      'openai-processing-ms': processing,
      ...streamHeaders,
    };
  if (contentLength === undefined)
    return { 'content-type': type, 'x-queue-wait-ms': queued, 'openai-processing-ms': processing };
  return {
    'content-type': type,
    'x-queue-wait-ms': queued,
    'openai-processing-ms': processing,
    'content-length': contentLength,
  };
}

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false;
}
