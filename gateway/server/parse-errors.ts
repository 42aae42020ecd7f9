import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { anthropicEnvelope, isAnthropicClient } from '../api/anthropic/error-envelope.ts';
import { openAIEnvelope } from '../api/openai/error-envelope.ts';
import type { ApiError } from '../errors/api-error.ts';
import { headerFieldsTooLarge, malformedRequest, requestTimeout } from '../errors/catalogue.ts';

/** How long a client may go on sending after its refusal, ms: a socket closed at once would take the answer along. */
const LINGER = 1000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Answers what Node's parser will not pass on, with the status it deserves, and closes. */
export function handleParseErrors(server: Server): void {
  const exchanges = new WeakMap<Socket, Exchange[]>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const open = (exchanges.get(request.socket) ?? []).filter((one) => !isOver(one));
    exchanges.set(request.socket, [...open, { request, response }]);
  });
  server.on('clientError', (error: ParserError, socket: Socket) => {
    const refusal = refusalFor(error);
    const open = (exchanges.get(socket) ?? []).filter((one) => !isOver(one));
    if (refusal === undefined || !socket.writable || !open.every(isUnanswered)) socket.destroy();
    else answerRaw(socket, refusal, open.at(-1)?.request);
  });
}

const isOver = ({ request, response }: Exchange) => request.complete && response.closed;

/** The very request that broke, still without an answer. Any other would take the refusal for its own. */
const isUnanswered = ({ request, response }: Exchange) => !request.complete && !response.headersSent;

interface ParserError extends Error {
  readonly code?: string;
}

/** What was wrong with the request; undefined where the client is merely gone. */
function refusalFor({ code }: ParserError): ApiError | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout();
    case 'HPE_HEADER_OVERFLOW':
      return headerFieldsTooLarge();
    default:
      return malformedRequest();
  }
}

/** Writes an answer without Node's help, which ended with the parser's. `request` is the one that broke, where its head was read. */
function answerRaw(socket: Socket, refusal: ApiError, request: IncomingMessage | undefined): void {
  const id = randomUUID();
  const [path = ''] = request?.url?.split('?', 1) ?? [];
  const isAnthropic = request !== undefined && isAnthropicClient(path, request.headers);
  const body = JSON.stringify(
    isAnthropic ? anthropicEnvelope(refusal.status, refusal, id) : openAIEnvelope(refusal),
  );
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n` +
      'content-type: application/json; charset=utf-8\r\n' +
      `x-request-id: ${id}\r\n` +
      (isAnthropic ? `request-id: ${id}\r\n` : '') +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
