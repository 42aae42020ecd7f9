import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type HealthOptions, type HealthSnapshot, healthResponse } from './health-response.ts';

export interface HealthServerOptions extends HealthOptions {
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  /** How long a request may take to arrive, and how long an idle connection is kept, ms. */
  readonly idleTimeoutMs?: number;
  readonly maxConnections?: number;
}

export interface HealthServer {
  readonly port: number;
  /** Calls `source` for each request from now on; until the first call the status is `starting`. */
  setSnapshotSource(source: () => HealthSnapshot): void;
  close(): Promise<void>;
}

/** A probe fits into one packet. */
const defaultIdleTimeoutMs = 5000;
const maxHeadBytes = 8192;

/**
 * Platforms need a handful. The file descriptors belong to the supervisor, which needs some thirty, and more to start a
 * child, of the 64 that preflight requires.
 */
const defaultMaxConnections = 12;

/**
 * Anyone can reach this port. Above the limit, the connection that has been idle longest is closed, so that a new probe is
 * handled however many connections are open.
 */
function limitConnections(server: Server, max: number): void {
  const byIdleTime = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    byIdleTime.add(socket);
    socket.once('close', () => byIdleTime.delete(socket));
    if (byIdleTime.size > max) byIdleTime.values().next().value?.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    // Moves to the end, unless it was just evicted.
    if (byIdleTime.delete(socket)) byIdleTime.add(socket);
  });
}

/**
 * Listens at once. `corral serve` starts it before anything else, because platforms measure until the first response. It
 * depends only on its snapshot source. Rejects with the listen error if the port is not available.
 */
export async function startHealthServer({
  host,
  port,
  idleTimeoutMs = defaultIdleTimeoutMs,
  maxConnections = defaultMaxConnections,
  ...options
}: HealthServerOptions): Promise<HealthServer> {
  let source = (): HealthSnapshot => ({ status: 'starting', everReady: false, details: {} });
  const server = createServer(
    {
      headersTimeout: idleTimeoutMs,
      requestTimeout: idleTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: idleTimeoutMs / 4,
      maxHeaderSize: maxHeadBytes,
    },
    (request, response) => reply(request, response, source(), options),
  );
  limitConnections(server, maxConnections);
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
  // The body is not needed.
  if ('transfer-encoding' in request.headers || 'content-length' in request.headers)
    response.shouldKeepAlive = false;
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body && { 'content-type': 'application/json' }),
    ...headers,
  });
  response.end(body && `${JSON.stringify(body)}\n`);
}
