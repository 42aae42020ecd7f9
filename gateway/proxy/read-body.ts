import type { IncomingMessage } from 'node:http';
import { draining, lengthRequired, payloadTooLarge, requestTimeout } from '../errors/catalogue.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import { abortError } from './abort-error.ts';
import type { BodyAllocation } from './body-budget.ts';
import { BodyChunks } from './body-chunks.ts';
import { monitorPace, type PaceLimits } from './body-pace.ts';

export interface BodyLimits extends PaceLimits {
  readonly maxBytes: number;
  /** Where it takes the memory from; undefined for what is small. */
  readonly held?: BodyAllocation;
  /** Aborts when the client leaves or the request is cancelled. */
  readonly signal: AbortSignal;
}

/** As whoever else comes to a server that stops. */
const TRY_AGAIN_MS = 1000;

/** Reads a whole request body into memory, never more than `maxBytes`, announced or not. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const announced = request.headers['content-length'];
  if (announced === undefined && request.headers['transfer-encoding'] === undefined) throw lengthRequired();
  if (Number(announced ?? 0) > limits.maxBytes) throw payloadTooLarge(limits.maxBytes);
  const noRoom = limits.held?.errorFor(Number(announced ?? 0));
  if (noRoom !== undefined) throw noRoom;
  if (limits.signal.aborted) throw abortError(limits.signal.reason);
  return isThere(request, announced) ? takeAll(request, limits.held) : collect(request, limits);
}

/** Most bodies come together with their heads, and are here when the door is passed. */
function isThere({ readableLength }: IncomingMessage, announced: string | undefined): boolean {
  return announced !== undefined && readableLength === Number(announced) && readableLength > 0;
}

/** Nothing to wait for, no listeners, no timer. */
async function takeAll(request: IncomingMessage, held: BodyAllocation | undefined): Promise<Buffer> {
  const body: Buffer = request.read();
  held?.allocate(body.length);
  // So that it comes to its end, which Node and the log wait for.
  request.resume();
  return body;
}

function collect(
  request: IncomingMessage,
  { maxBytes, idleTimeout, minRate, held, signal }: BodyLimits,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces = new BodyChunks();
  const refuse = (refusal: Error) => {
    request.pause();
    reject(refusal);
  };
  const pace = monitorPace({ idleTimeout, minRate }, () => refuse(requestTimeout()));
  const onData = (piece: Buffer) => {
    pace.came(piece.length);
    const isTooLarge = pieces.length + piece.length > maxBytes;
    const refusal = isTooLarge ? payloadTooLarge(maxBytes) : held?.allocate(piece.length);
    if (refusal !== undefined) refuse(refusal);
    else pieces.add(piece);
  };
  const onEnd = () => resolve(pieces.toBuffer());
  // It comes behind the end, too, and before the listeners are gone; an error with its stack is not for nothing.
  const onClose = () => request.complete || reject(new ClientDisconnected('the client left'));
  const onAbort = () => refuse(abortError(signal.reason));
  const onStop = () => refuse(draining(TRY_AGAIN_MS, 'half-sent'));
  if (held?.shutdown.aborted) onStop();
  held?.shutdown.addEventListener('abort', onStop, { once: true });
  signal.addEventListener('abort', onAbort, { once: true });
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  return promise.finally(() => {
    pace.stop();
    signal.removeEventListener('abort', onAbort);
    held?.shutdown.removeEventListener('abort', onStop);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  });
}
