import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { maxClientConnections } from '../../fs/open-file-limit.ts';
import { renderError } from '../api/error-response.ts';
import type { GatewayConfig } from '../config.ts';
import type { ApiError } from '../errors/api-error.ts';
import {
  headerFieldsTooLarge,
  malformedRequest,
  requestTimeout,
  tooManyConnections,
} from '../errors/catalogue.ts';
import { type ConnectionLimiter, limitConnections } from './connection-limiter.ts';

/** How often Node checks for requests that arrive too slowly, ms; its default of 30 s would extend every limit. */
const SLOWNESS_CHECK_INTERVAL = 1000;
/** Longer than the idle timeouts of common reverse proxies (60–600 s), so that they close first. */
const KEEP_ALIVE_TIMEOUT = 620_000;
/** For a client whose connection is over the limit, ms. */
const RETRY_AFTER = 2000;

/** The gateway's port. Requests that arrive before `serve` is called wait. */
export interface ListeningServer {
  readonly server: Server;
  readonly port: number;
  readonly connections: ConnectionLimiter;
  /** From now on requests are handled, the waiting ones first. */
  serve(listener: RequestListener): void;
  /** Closes the connections that have not carried a request yet. */
  closeUnused(): void;
}

/**
 * Listens before anything can handle requests: loading the rest of the code takes most of a gateway's start, and a
 * gateway that replaces a crashed one must not reject connections for so long. Rejects with the listen error.
 */
export async function startListening({
  host,
  port,
  limits,
  timeouts,
}: GatewayConfig): Promise<ListeningServer> {
  const server = createServer({
    maxHeaderSize: limits.maxRequestLineBytes + limits.maxHeaders * limits.maxHeaderLineBytes,
    headersTimeout: timeouts.clientHeader,
    requestTimeout: 0,
    connectionsCheckingInterval: SLOWNESS_CHECK_INTERVAL,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    noDelay: true,
    // middleware/request-limits.ts rejects a request without Host, with an error of ours.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  // An unknown expectation may be ignored (RFC 9110, 10.1.1); Node would respond 417 without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('checkContinue', (request, response) => {
    sendContinue(request, response);
    server.emit('request', request, response);
  });
  handleParseErrors(server);
  const closeUnused = trackUnusedConnections(server);
  const max = maxClientConnections(limits.maxConnections);
  const connections = limitConnections(server, { max, stallTimeoutMs: timeouts.streamIdle });
  const waiting: Parameters<RequestListener>[] = [];
  const wait: RequestListener = (...exchange) => void waiting.push(exchange);
  server.on('request', wait);
  return {
    server,
    port: await listen(server, host, port),
    connections,
    serve(handle) {
      const listener: RequestListener = (request, response) =>
        connections.isOverLimit(request.socket) ? rejectOverLimit(response) : handle(request, response);
      server.off('request', wait).on('request', listener);
      // Skip clients that have disconnected: the close event of their responses is past.
      for (const [request, response] of waiting.splice(0)) if (!response.closed) listener(request, response);
    },
    closeUnused,
  };
}

/**
 * Lets a client send its body. Node would write this between the head and the body of a response that is finished while the one
 * before it on its connection is not; so it waits for its turn, and is left out if the response is complete by then.
 */
function sendContinue({ headers }: IncomingMessage, response: ServerResponse): void {
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (!hasBody) return;
  const send = () => {
    if (!response.headersSent) response.writeContinue();
  };
  if (response.socket === null) response.once('socket', send);
  else send();
}

function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    const address = server.address();
    resolve(typeof address === 'object' && address ? address.port : port);
  });
  return promise;
}

/**
 * Connections without a request so far, such as those that browsers and pools open in advance. Node does not count them
 * as idle, so a shutdown would wait for them. Returns a function that closes them.
 */
function trackUnusedConnections(server: Server): () => void {
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket));
  return () => {
    for (const socket of unused) socket.destroy();
  };
}

function rejectOverLimit(response: ServerResponse): void {
  const { status, headers, body } = renderError(tooManyConnections(RETRY_AFTER), randomUUID(), undefined);
  response.writeHead(status, headers).end(body);
}

/** How long a client may keep sending after the error, ms: closing the socket at once would discard the response. */
const LINGER = 1000;

/** Responds to requests that Node's HTTP parser rejects, with a fitting status, and closes their connections. */
function handleParseErrors(server: Server): void {
  /** For each connection, the responses that were open at its last request. */
  const responses = new WeakMap<Socket, ServerResponse[]>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    let known = responses.get(socket);
    if (known === undefined) {
      known = [];
      responses.set(socket, known);
    }
    if (known.length > 0 && known.every(isOver)) known.length = 0;
    known.push(response);
    // Kept until the next request, it would double what is copied at each collection of young objects (docs/performance.md).
    response.on('close', () => {
      if (isOver(response)) known.splice(known.indexOf(response), 1);
    });
  });
  server.on('clientError', (parserError: ParserError, socket: Socket) => {
    const error = errorFor(parserError);
    const open = (responses.get(socket) ?? []).filter((one) => !isOver(one));
    if (error === undefined || !socket.writable || !open.every(isUnanswered)) socket.destroy();
    else respond(socket, error, open.at(-1)?.req);
  });
}

const isOver = ({ req, closed }: ServerResponse) => req.complete && closed;

/** The request that could not be parsed. Any other request on the socket would take the error for its own response. */
const isUnanswered = ({ req, headersSent }: ServerResponse) => !req.complete && !headersSent;

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
