import type { Pool } from 'undici';
import type { Backend } from '../../health/backend.ts';
import { SocketClient } from './socket-client.ts';

/** The connections to the backend. Neither kind queues: waiting is the scheduler's business. */
export type BackendPool = Pool | SocketClient;

export async function createBackendPool(
  { address }: Backend,
  connectTimeoutMs: number,
): Promise<BackendPool> {
  if (address.socketPath !== undefined) return new SocketClient(address.socketPath);
  // Loaded only for a backend elsewhere: undici takes 10 MB and a third of the start-up time.
  const { Pool } = await import('undici');
  return new Pool(address.origin, {
    connections: null,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    // llama-server closes idle connections after 5 s. A request on a connection that is being closed would be lost.
    keepAliveTimeout: 3000,
    keepAliveMaxTimeout: 4000,
  });
}
