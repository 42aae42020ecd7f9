import type { IncomingMessage } from 'node:http';
import type { CancelSignal } from '../../cancellation.ts';
import { draining, requestTimeout } from '../../errors/catalogue.ts';
import { abortError } from '../../proxy/result-errors.ts';
import { ClientDisconnected } from '../../upstream/failure.ts';

export interface PacedBodyOptions {
  /** The longest wait for a chunk, ms. */
  readonly idleTimeout: number;
  /** Bytes per second that have to arrive in each such period of waiting; 0 is no limit. */
  readonly minRate: number;
  /** Aborts when the client disconnects or the request is cancelled. */
  readonly signal: CancelSignal;
  /** Aborts when the server stops: the rest of the body is not waited for then. */
  readonly shutdown: AbortSignal;
}

const SHUTDOWN_RETRY_MS = 1000;

/**
 * The chunks of a body of any size. The next one is taken from the connection when the one before has been dealt with, so
 * none pile up, and only the time in which the client is waited for counts against it. Throws an ApiError for a client that
 * is too slow, ClientDisconnected for one that left.
 */
export async function* readPaced(
  request: IncomingMessage,
  options: PacedBodyOptions,
): AsyncGenerator<Buffer, void> {
  const { idleTimeout, minRate } = options;
  const required = (minRate * idleTimeout) / 1000;
  let [bytes, waitedMs] = [0, 0];
  for (;;) {
    const since = performance.now();
    const chunk = await nextChunk(request, options);
    if (chunk === undefined) return;
    bytes += chunk.length;
    waitedMs += performance.now() - since;
    if (waitedMs >= idleTimeout) {
      if (bytes < required) throw requestTimeout();
      [bytes, waitedMs] = [0, 0];
    }
    yield chunk;
  }
}

/** Undefined at the end of the body. */
function nextChunk(
  request: IncomingMessage,
  { idleTimeout, signal, shutdown }: PacedBodyOptions,
): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  if (request.readableEnded) resolve(undefined);
  const onData = (chunk: Buffer) => {
    request.pause();
    resolve(chunk);
  };
  const onEnd = () => resolve(undefined);
  const onClose = () =>
    request.readableEnded ? resolve(undefined) : reject(new ClientDisconnected('the client left'));
  const onAbort = () => reject(abortError(signal.reason));
  const onShutdown = () => reject(draining(SHUTDOWN_RETRY_MS, 'half-sent'));
  if (request.destroyed) onClose();
  if (signal.aborted) onAbort();
  if (shutdown.aborted) onShutdown();
  const timer = setTimeout(() => reject(requestTimeout()), idleTimeout);
  signal.addEventListener('abort', onAbort, { once: true });
  shutdown.addEventListener('abort', onShutdown, { once: true });
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  request.resume();
  return promise.finally(() => {
    clearTimeout(timer);
    request.pause();
    signal.removeEventListener('abort', onAbort);
    shutdown.removeEventListener('abort', onShutdown);
    request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
  });
}
