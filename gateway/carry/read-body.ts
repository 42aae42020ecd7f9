import type { IncomingMessage } from 'node:http';
import { lengthRequired, payloadTooLarge, requestTooSlow } from '../refusal/catalogue.ts';
import { ClientGone } from '../upstream/failure.ts';
import { BodyPieces } from './body-pieces.ts';
import { refuseDeparture } from './refuse-departure.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** The longest silence between two pieces of the body, ms. */
  readonly idleTimeout: number;
  /** Bytes per second that it has to bring on average, after a silence that is allowed; 0 is no limit. */
  readonly minRate: number;
  /** Aborts when the client leaves or the request is cancelled. */
  readonly signal: AbortSignal;
}

/** Reads a whole request body into memory, never more than `maxBytes`, announced or not. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const announced = request.headers['content-length'];
  if (announced === undefined && request.headers['transfer-encoding'] === undefined) throw lengthRequired();
  if (Number(announced ?? 0) > limits.maxBytes) throw payloadTooLarge(limits.maxBytes);
  if (limits.signal.aborted) throw refuseDeparture(limits.signal.reason);
  return isThere(request, announced) ? takeAll(request) : collect(request, limits);
}

/** Most bodies come together with their heads, and are here when the door is passed. */
function isThere({ readableLength }: IncomingMessage, announced: string | undefined): boolean {
  return announced !== undefined && readableLength === Number(announced) && readableLength > 0;
}

/** Nothing to wait for, no listeners, no timer. */
async function takeAll(request: IncomingMessage): Promise<Buffer> {
  const body: Buffer = request.read();
  // So that it comes to its end, which Node and the log wait for.
  request.resume();
  return body;
}

function collect(
  request: IncomingMessage,
  { maxBytes, idleTimeout, minRate, signal }: BodyLimits,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces = new BodyPieces();
  const since = performance.now();
  const refuse = (refusal: Error) => {
    request.pause();
    reject(refusal);
  };
  const timer = setTimeout(() => refuse(requestTooSlow()), idleTimeout);
  const isTooSlow = () =>
    minRate > 0 && performance.now() - since > idleTimeout + (pieces.length * 1000) / minRate;
  const onData = (piece: Buffer) => {
    timer.refresh();
    if (pieces.length + piece.length > maxBytes) refuse(payloadTooLarge(maxBytes));
    else if (isTooSlow()) refuse(requestTooSlow());
    else pieces.add(piece);
  };
  const onEnd = () => resolve(pieces.whole());
  // It comes behind the end, too, and before the listeners are gone; an error with its stack is not for nothing.
  const onClose = () => request.complete || reject(new ClientGone('the client left'));
  const onAbort = () => refuse(refuseDeparture(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  });
}
