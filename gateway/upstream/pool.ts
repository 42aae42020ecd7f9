import type { Pool } from 'undici';
import type { Backend } from '../../health/backend.ts';
import { SocketClient } from './socket-client.ts';

/** The connections to the backend. */
export type BackendPool = Pool | SocketClient;

/** One connection a request and as many as needed: waiting is admission's business, so the pool must not queue. */
export async function createBackendPool(
  { address }: Backend,
  connectTimeoutMs: number,
): Promise<BackendPool> {
  if (address.socketPath !== undefined) return new SocketClient(address.socketPath);
  // Loaded only for a backend elsewhere: it takes 10 MB and a third of the start.
  const { Pool } = await import('undici');
  return new Pool(address.origin, {
    connections: null,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    // llama-server closes idle connections after 5 s; a request on a connection that is just closing would be lost.
    keepAliveTimeout: 3000,
    keepAliveMaxTimeout: 4000,
  });
}
