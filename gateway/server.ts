import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { GatewayConfig } from './config.ts';
import type { GatewayEnv } from './door/gateway-context.ts';
import { openAIEnvelope } from './openai/envelope.ts';
import { malformedRequest } from './refusal/catalogue.ts';
import { refuseUnreadable } from './unreadable-requests.ts';

/** How often Node looks for requests that arrive too slowly, ms; its default of 30 s would stretch every limit. */
const SLOWNESS_CHECK = 1000;
/** Longer than the idle time-outs of the proxies in front of us (60–600 s are common), so that they close first. */
const KEEP_ALIVE = 620_000;

export function createGatewayServer(app: Hono<GatewayEnv>, { limits, timeouts }: GatewayConfig): Server {
  const listener = getRequestListener(app.fetch, {
    hostname: 'gateway',
    // Node's global Request and Response stay as they are; with them replaced, a response that has been sent already
    // is sent again as soon as a middleware touches its headers (facts/performance.md, section 4.1).
    overrideGlobalObjects: false,
    // Called for what never comes to the app, such as a Host that is no name.
    errorHandler: refuseUnroutable,
  });
  const server = createServer(
    {
      maxHeaderSize: limits.maxRequestLineBytes + limits.maxHeaders * limits.maxHeaderLineBytes,
      headersTimeout: timeouts.clientHeader,
      requestTimeout: 0,
      connectionsCheckingInterval: SLOWNESS_CHECK,
      keepAliveTimeout: KEEP_ALIVE,
      noDelay: true,
      // limit-headers.ts refuses a request without Host in our own words.
      requireHostHeader: false,
    },
    listener,
  );
  server.maxHeadersCount = 0;
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node would answer 417 without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  refuseUnreadable(server);
  return server;
}

function refuseUnroutable(): Response {
  const refusal = malformedRequest();
  const headers = { ...refusal.headers, 'x-request-id': randomUUID() };
  return Response.json(openAIEnvelope(refusal), { status: refusal.status, headers });
}
