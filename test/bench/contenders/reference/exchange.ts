import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What is known of a request and its response. */
export class Exchange {
  readonly id = randomUUID();
  readonly startedAt = performance.now();
  key = '';
  model: unknown = undefined;
  status = 0;
  bytes = 0;
}

/** Sends a request to the upstream and relays the response. */
export type SendUpstream = (exchange: Exchange, response: ServerResponse, body: Buffer) => UpstreamCall;

export interface UpstreamCall {
  /** Has no effect after the end of the upstream's response. */
  abort(exchange: Exchange): void;
}

export const upstreamPath = '/v1/chat/completions';

/** The head of the response to the client, as `writeHead` takes it. */
export function responseHeaders(
  { id }: Exchange,
  contentType = 'application/json',
  contentLength?: string,
): string[] {
  return contentLength === undefined
    ? ['content-type', contentType, 'x-request-id', id, 'cache-control', 'no-cache']
    : ['content-type', contentType, 'x-request-id', id, 'content-length', contentLength];
}
