import type { IncomingMessage } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ErrorHandler } from 'hono';
import { anthropicEnvelope, isAnthropicClient } from '../api/anthropic/error-envelope.ts';
import { openAIEnvelope } from '../api/openai/error-envelope.ts';
import { ApiError } from '../errors/api-error.ts';
import { internalError } from '../errors/catalogue.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import { ClientDisconnected } from '../upstream/failure.ts';

/** The one place where a thrown refusal becomes an answer. Anything else that is thrown is our fault and says nothing. */
export const handleError: ErrorHandler<GatewayEnv> = (error, c) => {
  if (error instanceof ClientDisconnected) return RESPONSE_ALREADY_SENT;
  const refusal = error instanceof ApiError ? error : internalError(error);
  const record = c.get('record');
  record.error = refusal.code;
  record.cause = refusal.cause;
  const envelope = envelopeFor(c.req.path, c.env.incoming, refusal, record.id);
  const response = c.get('response');
  const pacemaker = c.get('pacemaker');
  if (response.headersSent && pacemaker) pacemaker.fail(refusal, envelope);
  else sendRefusal(response, refusal, envelope);
  return RESPONSE_ALREADY_SENT;
};

/** The error object in the words of the API that was asked. */
function envelopeFor(
  path: string,
  { headers }: IncomingMessage,
  refusal: ApiError,
  requestId: string,
): object {
  return isAnthropicClient(path, headers)
    ? anthropicEnvelope(refusal.status, refusal, requestId)
    : openAIEnvelope(refusal);
}

function sendRefusal(response: ClientResponse, refusal: ApiError, envelope: object): void {
  if (response.headersSent || response.raw.destroyed) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(envelope));
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}
