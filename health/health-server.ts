import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type HealthOptions, type HealthSnapshot, healthResponse } from './health-response.ts';

export interface HealthServerOptions extends HealthOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long a request may take to arrive, and a connection be kept without one, ms. */
  readonly idleTimeoutMs?: number;
  readonly maxConnections?: number;
}

export interface HealthServer {
  readonly port: number;
  /** Asks `source` at each question from now on; until the first call the standing is `starting`. */
  setSnapshotSource(source: () => HealthSnapshot): void;
  close(): Promise<void>;
}

/** A probe comes in one packet. */
const usualPatienceMs = 5000;
const largestHeadBytes = 8192;

/**
 * Platforms have a handful. The descriptors are the supervisor's: it needs some thirty, and more to start a child, of the 64
 * that preflight asks for at the least.
 */
const usualConnections = 12;

/**
 * Anybody can reach this port. Where there are too many connections the one goes that has been quiet longest: a probe that
 * has just come is answered, however many stand about.
 */
function boundConnections(server: Server, most: number): void {
  const quietest = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    quietest.add(socket);
    socket.once('close', () => quietest.delete(socket));
    if (quietest.size > most) quietest.values().next().value?.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    // It stands behind the others again. One that was just displaced stays away.
    if (quietest.delete(socket)) quietest.add(socket);
  });
}

/**
 * Listens as soon as it is called, which a serve command does before anything else: platforms count from the first
 * answer. It asks nobody but its owner. Rejects with the listen error where the port cannot be had.
 */
export async function startHealthServer({
  host,
  port,
  idleTimeoutMs = usualPatienceMs,
  maxConnections = usualConnections,
  ...options
}: HealthServerOptions): Promise<HealthServer> {
  let source = (): HealthSnapshot => ({ status: 'starting', everReady: false, details: {} });
  const server = createServer(
    {
      headersTimeout: idleTimeoutMs,
      requestTimeout: idleTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: idleTimeoutMs / 4,
      maxHeaderSize: largestHeadBytes,
    },
    (request, response) => reply(request, response, source(), options),
  );
  boundConnections(server, maxConnections);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    setSnapshotSource(next) {
      source = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(
  request: IncomingMessage,
  response: ServerResponse,
  snapshot: HealthSnapshot,
  options: HealthOptions,
): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const { status, body, headers } = healthResponse(path, request.method ?? 'GET', snapshot, options);
  request.resume();
  // Nobody needs what a body says, or how long it is.
  if ('transfer-encoding' in request.headers || 'content-length' in request.headers)
    response.shouldKeepAlive = false;
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body && { 'content-type': 'application/json' }),
    ...headers,
  });
  response.end(body && `${JSON.stringify(body)}\n`);
}
