import type { IncomingMessage } from 'node:http';

/** Long enough for the rest of an honest body, which the client may have sent before it reads our response; ms and bytes. */
const MAX_WAIT = 500;
const MAX_BYTES = 64 * 1024 ** 2;

/**
 * Reads and drops the rest of a body that is not needed, so that its client reads our response and its connection stays
 * usable. A client that sends on and on is disconnected. Hono's adapter for Node does the same for the routes that it serves.
 */
export function discardBody(request: IncomingMessage): void {
  const { socket } = request;
  if (request.complete || socket.destroyed) return;
  let bytes = 0;
  const disconnect = () => socket.destroySoon();
  const timer = setTimeout(disconnect, MAX_WAIT).unref();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) disconnect();
  });
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
  request.resume();
}
