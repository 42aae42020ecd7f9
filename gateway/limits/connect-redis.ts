import { Redis } from 'ioredis';

/** How long to wait between two tries to connect, ms. */
const RECONNECT_AFTER = 500;
const CONNECT_TIMEOUT = 2000;

/**
 * A connection that never queues: what cannot be sent or answered now fails now, as somebody waits for it. It connects
 * again by itself for as long as it is not closed.
 */
export function connectRedis(url: string): Redis {
  return new Redis(url, {
    // Every Redis, Valkey and proxy in front of them speaks it.
    protocol: 2,
    connectionName: 'llama-corral',
    connectTimeout: CONNECT_TIMEOUT,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => RECONNECT_AFTER,
  });
}
