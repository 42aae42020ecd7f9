import type { IncomingMessage } from 'node:http';
import { lengthRequired, payloadTooLarge, requestTooSlow } from '../refusal/catalogue.ts';
import type { Refusal } from '../refusal/refusal.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** The longest silence between two pieces of the body, ms. */
  readonly idleTimeout: number;
}

/** Thrown where the client went away before its request was whole: nobody is left to answer. */
export class ClientLeft extends Error {
  override readonly name = 'ClientLeft';
}

/** Reads a whole request body into memory, never more than `maxBytes`, announced or not. */
export function readBody(request: IncomingMessage, { maxBytes, idleTimeout }: BodyLimits): Promise<Buffer> {
  const announced = request.headers['content-length'];
  if (announced === undefined && request.headers['transfer-encoding'] === undefined) throw lengthRequired();
  if (Number(announced ?? 0) > maxBytes) throw payloadTooLarge(maxBytes);
  return collect(request, maxBytes, idleTimeout);
}

function collect(request: IncomingMessage, maxBytes: number, idleTimeout: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces: Buffer[] = [];
  let length = 0;
  const refuse = (refusal: Refusal) => {
    request.pause();
    reject(refusal);
  };
  const timer = setTimeout(() => refuse(requestTooSlow()), idleTimeout);
  const onData = (piece: Buffer) => {
    timer.refresh();
    length += piece.length;
    if (length > maxBytes) refuse(payloadTooLarge(maxBytes));
    else pieces.push(piece);
  };
  const onEnd = () => resolve(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces, length));
  const onClose = () => reject(new ClientLeft());
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  return promise.finally(() => {
    clearTimeout(timer);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  });
}
