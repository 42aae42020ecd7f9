import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, type HealthOptions, type HealthSnapshot } from './answers.ts';

export interface HealthServerOptions extends HealthOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface HealthServer {
  readonly port: number;
  /** Asks `source` at each question from now on; until the first call the standing is `starting`. */
  show(source: () => HealthSnapshot): void;
  close(): Promise<void>;
}

/**
 * Listens as soon as it is called, which a serve command does before anything else: platforms count from the first
 * answer. It asks nobody but its owner. Rejects with the listen error where the port cannot be had.
 */
export async function startHealthServer({
  host,
  port,
  ...options
}: HealthServerOptions): Promise<HealthServer> {
  let source = (): HealthSnapshot => ({ standing: 'starting', everReady: false, details: {} });
  const server = createServer((request, response) => reply(request, response, source(), options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    show(next) {
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
  const { status, body, headers } = answer(path, request.method ?? 'GET', snapshot, options);
  request.resume();
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body && { 'content-type': 'application/json' }),
    ...headers,
  });
  response.end(body && `${JSON.stringify(body)}\n`);
}
