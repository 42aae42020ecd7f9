import { randomUUID } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { openAIEnvelope } from '../api/openai/error-envelope.ts';
import { malformedRequest } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

/** Answers Node's requests by the app. */
export function createRequestListener(app: Hono<GatewayEnv>): RequestListener {
  const answer = getRequestListener(app.fetch, {
    hostname: 'gateway',
    // Node's global Request and Response stay as they are; with them replaced, a response that has been sent already
    // is sent again as soon as a middleware touches its headers (facts/performance.md, section 4.1).
    overrideGlobalObjects: false,
    // Called for what never comes to the app, such as a Host that is no name.
    errorHandler: refuseUnroutable,
  });
  return (incoming, outgoing) => {
    // Of the server as a whole (RFC 9110, section 9.3.7): no path, and so nothing for the app.
    if (incoming.method === 'OPTIONS' && incoming.url === '*') tellMethods(outgoing);
    else answer(incoming, outgoing);
  };
}

function tellMethods(outgoing: ServerResponse): void {
  outgoing.writeHead(204, { allow: 'GET, HEAD, POST, DELETE, OPTIONS', 'x-request-id': randomUUID() }).end();
}

function refuseUnroutable(): Response {
  const refusal = malformedRequest();
  const headers = { ...refusal.headers, 'x-request-id': randomUUID() };
  return Response.json(openAIEnvelope(refusal), { status: refusal.status, headers });
}
