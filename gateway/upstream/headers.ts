import type { IncomingHttpHeaders } from 'node:http';

/**
 * Headers that may pass to the backend. No others pass in either direction: not credentials, `Origin`, hop-by-hop headers,
 * nor llama-server's `X-Conversation-Id`, with which a client could read or cancel the stream of another.
 */
const requestHeaders = [
  'content-type',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'traceparent',
] as const;

export function headersForBackend(
  incoming: IncomingHttpHeaders,
  requestId: string,
  apiKey: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'x-request-id': requestId };
  for (const name of requestHeaders) {
    const value = incoming[name];
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

/** On all streams: proxies must not cache, buffer or compress them. Compressing means buffering, too. */
const streamHeaders = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' } as const;

/** The headers of a response that begins before the backend has sent one. */
export const earlyHeaders = {
  events: { 'content-type': 'text/event-stream', ...streamHeaders },
  json: { 'content-type': 'application/json; charset=utf-8', ...streamHeaders },
} as const;

/** The headers of a relayed response. Request id and CORS headers are set on it already. */
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
