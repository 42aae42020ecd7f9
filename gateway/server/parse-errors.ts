import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { renderError } from '../api/error-response.ts';
import type { ApiError } from '../errors/api-error.ts';
import { headerFieldsTooLarge, malformedRequest, requestTimeout } from '../errors/catalogue.ts';

/** How long a client may keep sending after the error, ms: closing the socket at once would discard the response. */
const LINGER = 1000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Responds to requests that Node's HTTP parser rejects, with a fitting status, and closes their connections. */
export function handleParseErrors(server: Server): void {
  const exchanges = new WeakMap<Socket, Exchange[]>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const open = (exchanges.get(request.socket) ?? []).filter((one) => !isOver(one));
    exchanges.set(request.socket, [...open, { request, response }]);
  });
  server.on('clientError', (parserError: ParserError, socket: Socket) => {
    const error = errorFor(parserError);
    const open = (exchanges.get(socket) ?? []).filter((one) => !isOver(one));
    if (error === undefined || !socket.writable || !open.every(isUnanswered)) socket.destroy();
    else respond(socket, error, open.at(-1)?.request);
  });
}

const isOver = ({ request, response }: Exchange) => request.complete && response.closed;

/** The request that could not be parsed. Any other request on the socket would take the error for its own response. */
const isUnanswered = ({ request, response }: Exchange) => !request.complete && !response.headersSent;

interface ParserError extends Error {
  readonly code?: string;
}

/** Undefined where the client has merely disconnected. */
function errorFor({ code }: ParserError): ApiError | undefined {
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

/** Writes a response to the socket itself. `request` is the one that failed, where its head was complete. */
function respond(socket: Socket, error: ApiError, request: IncomingMessage | undefined): void {
  const [path = ''] = request?.url?.split('?', 1) ?? [];
  const { status, headers, body } = renderError(
    error,
    randomUUID(),
    request && { path, headers: request.headers },
  );
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
