import { randomUUID } from 'node:crypto';
import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { GatewayConfig } from './config.ts';
import type { GatewayEnv } from './door/gateway-context.ts';
import { openAIEnvelope } from './openai/envelope.ts';
import { headerFieldsTooLarge, malformedRequest, requestTooSlow, uriTooLong } from './refusal/catalogue.ts';
import type { Refusal } from './refusal/refusal.ts';

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
    errorHandler: () => Response.json(openAIEnvelope(malformedRequest()), { status: 400 }),
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
  server.on('clientError', (error: ParserError, socket: Socket) => {
    answerRaw(socket, refusalFor(error, limits.maxRequestLineBytes));
  });
  return server;
}

interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** What was wrong with a request that Node's parser would not pass on; undefined where the client is merely gone. */
function refusalFor({ code, rawPacket }: ParserError, maxRequestLineBytes: number): Refusal | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTooSlow();
    case 'HPE_HEADER_OVERFLOW':
      return rawPacket?.includes('\r\n') ? headerFieldsTooLarge() : uriTooLong(maxRequestLineBytes);
    default:
      return malformedRequest();
  }
}

/** Writes an answer without Node's help, which ended with the parser's, and closes. */
function answerRaw(socket: Socket, refusal: Refusal | undefined): void {
  if (refusal === undefined || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(openAIEnvelope(refusal));
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
      'content-type: application/json; charset=utf-8\r\n' +
      `x-request-id: ${randomUUID()}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
