import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { recordUnhandledError } from '../../../log/unhandled-errors.ts';
import type { HeaderFields } from '../../http/client-response.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import type { StoreServices } from './store-services.ts';

/**
 * Sends a body piece by piece, no faster than its client reads. A client that reads nothing for `STREAM_IDLE_TIMEOUT` is
 * disconnected, and so is one whose content turns out to be unreadable after it has begun.
 */
export async function sendContent(
  { liveRequests, config }: StoreServices,
  context: RequestContext,
  { status, headers }: { readonly status: 200 | 206; readonly headers: HeaderFields },
  pieces: AsyncIterable<Uint8Array>,
): Promise<Response> {
  const { response, record, incoming, controller } = context;
  const idleTimeout = config.timeouts.streamIdle;
  using _ = liveRequests.add(context);
  // The first piece is read before the head is sent: until then an error can still be a response.
  const iterator = pieces[Symbol.asyncIterator]();
  let next = incoming.method === 'HEAD' ? undefined : await iterator.next();
  response.writeHead(status, headers);
  try {
    while (next !== undefined && next.done !== true) {
      const piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      record.bytesOut += piece.length;
      record.firstByteAt ??= performance.now();
      if (!response.write(piece)) await drained(context, idleTimeout);
      if (controller.signal.aborted || response.raw.destroyed) break;
      next = await iterator.next();
    }
    if (next === undefined || next.done === true) response.end();
    else response.destroy();
  } catch (error) {
    record.error = 'content_unreadable';
    record.cause = error;
    response.destroy();
  } finally {
    // Closes the file.
    Promise.resolve(iterator.return?.()).catch(recordUnhandledError);
  }
  return RESPONSE_ALREADY_SENT;
}

/** Resolves when the client has read on, has left, or was disconnected for not doing so. */
export function drained(
  { response: { raw }, controller: { signal } }: RequestContext,
  idleTimeout: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  if (raw.destroyed || signal.aborted) done();
  const timer = idleTimeout === 0 ? undefined : setTimeout(() => raw.destroy(), idleTimeout);
  raw.on('drain', done).on('close', done);
  signal.addEventListener('abort', done);
  return promise.finally(() => {
    clearTimeout(timer);
    raw.off('drain', done).off('close', done);
    signal.removeEventListener('abort', done);
  });
}
