import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ErrorHandler } from 'hono';
import { anthropicEnvelope, isAnthropicPath } from '../anthropic/envelope.ts';
import { openAIEnvelope } from '../openai/envelope.ts';
import { internalError } from '../refusal/catalogue.ts';
import { Refusal } from '../refusal/refusal.ts';
import { ClientGone } from '../upstream/failure.ts';
import type { GatewayEnv } from './gateway-context.ts';

/** The one place where a thrown refusal becomes an answer. Anything else that is thrown is our fault and says nothing. */
export const showRefusal: ErrorHandler<GatewayEnv> = (error, c) => {
  if (error instanceof ClientGone) return RESPONSE_ALREADY_SENT;
  const refusal = error instanceof Refusal ? error : internalError(error);
  const record = c.get('record');
  record.error = refusal.code;
  record.cause = refusal.cause;
  const envelope = envelopeFor(c.req.path, refusal, record.id);
  const pacemaker = c.get('pacemaker');
  if (c.env.outgoing.headersSent && pacemaker) pacemaker.breakOff(refusal, envelope);
  else sendRefusal(c.env.outgoing, refusal, envelope);
  return RESPONSE_ALREADY_SENT;
};

/** The error object in the words of the API that was asked. */
export function envelopeFor(path: string, refusal: Refusal, requestId: string): object {
  return isAnthropicPath(path)
    ? anthropicEnvelope(refusal.status, refusal, requestId)
    : openAIEnvelope(refusal);
}

function sendRefusal(response: ServerResponse, refusal: Refusal, envelope: object): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(envelope);
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
