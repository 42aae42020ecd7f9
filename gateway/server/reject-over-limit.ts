import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { openAIEnvelope } from '../api/openai/error-envelope.ts';
import { tooManyConnections } from '../errors/catalogue.ts';

const RETRY_AFTER = 2000;

/** Tells a client whose connection found no room, before anything else is done for it. */
export function rejectOverLimit(response: ServerResponse): void {
  const refusal = tooManyConnections(RETRY_AFTER);
  const body = JSON.stringify(openAIEnvelope(refusal));
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': randomUUID(),
  });
  response.end(body);
}
