import { createServer, type RequestListener, type Server } from 'node:http';
import { maxClientConnections } from '../../fs/open-file-limit.ts';
import type { GatewayConfig } from '../config.ts';
import { type ConnectionLimiter, limitConnections } from './connection-limiter.ts';
import { handleParseErrors } from './parse-errors.ts';
import { rejectOverLimit } from './reject-over-limit.ts';
import { trackUnusedConnections } from './unused-connections.ts';

/** How often Node looks for requests that arrive too slowly, ms; its default of 30 s would stretch every limit. */
const SLOWNESS_CHECK = 1000;
/** Longer than the idle time-outs of the proxies in front of us (60–600 s are common), so that they close first. */
const KEEP_ALIVE = 620_000;

/** The gateway's port, and whoever has come already. */
export interface ListeningServer {
  readonly server: Server;
  readonly port: number;
  readonly connections: ConnectionLimiter;
  /** From now on requests are answered, those first that have waited for it. */
  serve(listener: RequestListener): void;
  /** Closes the connections on which nothing was asked yet. */
  closeUnused(): void;
}

/**
 * Listens before there is anybody to answer: reading the code of the rest takes most of a gateway's start, and one that
 * takes the place of a crashed one must not refuse connections for so long. Rejects with the listen error.
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
    connectionsCheckingInterval: SLOWNESS_CHECK,
    keepAliveTimeout: KEEP_ALIVE,
    noDelay: true,
    // limit-headers.ts refuses a request without Host in our own words.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node would answer 417 without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  handleParseErrors(server);
  const closeSilent = trackUnusedConnections(server);
  const most = maxClientConnections(limits.maxConnections);
  const connections = limitConnections(server, { max: most, stallTimeoutMs: timeouts.streamIdle });
  const waiting: Parameters<RequestListener>[] = [];
  const letWait: RequestListener = (...exchange) => void waiting.push(exchange);
  server.on('request', letWait);
  return {
    server,
    port: await listen(server, host, port),
    connections,
    serve(answer) {
      const listener: RequestListener = (request, response) =>
        connections.isOverLimit(request.socket) ? rejectOverLimit(response) : answer(request, response);
      server.off('request', letWait).on('request', listener);
      // Of one who has left meanwhile nobody would hear that.
      for (const [request, response] of waiting.splice(0)) if (!response.closed) listener(request, response);
    },
    closeUnused: closeSilent,
  };
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
