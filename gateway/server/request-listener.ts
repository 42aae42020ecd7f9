import { randomUUID } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { renderError } from '../api/error-response.ts';
import { malformedRequest } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

/** Passes Node's requests to the app. */
export function createRequestListener(app: Hono<GatewayEnv>): RequestListener {
  const listener = getRequestListener(app.fetch, {
    hostname: 'gateway',
    // Keep Node's global Request and Response: with Hono's, a response that has been sent already is sent again as soon
    // as a middleware touches its headers.
    overrideGlobalObjects: false,
    // Called for requests that do not reach the app, such as one with an invalid Host.
    errorHandler: rejectUnroutable,
  });
  return (incoming, outgoing) => {
    // `OPTIONS *` is about the server as a whole (RFC 9110, section 9.3.7): it has no path that the app could route.
    if (incoming.method === 'OPTIONS' && incoming.url === '*') listMethods(outgoing);
    else listener(incoming, outgoing);
  };
}

function listMethods(outgoing: ServerResponse): void {
  outgoing.writeHead(204, { allow: 'GET, HEAD, POST, DELETE, OPTIONS', 'x-request-id': randomUUID() }).end();
}

function rejectUnroutable(): Response {
  const { status, headers, body } = renderError(malformedRequest(), randomUUID(), undefined);
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return new Response(body.toString(), { status, headers: Object.fromEntries(entries) });
}
