import type { IncomingMessage } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ErrorHandler } from 'hono';
import { anthropicEnvelope } from '../anthropic/envelope.ts';
import { speaksAnthropic } from '../anthropic/speaks-anthropic.ts';
import type { ClientResponse } from '../client-response.ts';
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
  const envelope = envelopeFor(c.req.path, c.env.incoming, refusal, record.id);
  const response = c.get('response');
  const pacemaker = c.get('pacemaker');
  if (response.headersSent && pacemaker) pacemaker.breakOff(refusal, envelope);
  else sendRefusal(response, refusal, envelope);
  return RESPONSE_ALREADY_SENT;
};

/** The error object in the words of the API that was asked. */
function envelopeFor(
  path: string,
  { headers }: IncomingMessage,
  refusal: Refusal,
  requestId: string,
): object {
  return speaksAnthropic(path, headers)
    ? anthropicEnvelope(refusal.status, refusal, requestId)
    : openAIEnvelope(refusal);
}

function sendRefusal(response: ClientResponse, refusal: Refusal, envelope: object): void {
  if (response.headersSent || response.raw.destroyed) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(envelope));
  response.begin(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}
