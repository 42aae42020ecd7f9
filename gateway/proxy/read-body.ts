import type { IncomingMessage } from 'node:http';
import type { CancelSignal } from '../cancellation.ts';
import { draining, lengthRequired, payloadTooLarge, requestTimeout } from '../errors/catalogue.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import type { BodyAllocation } from './body-budget.ts';
import { abortError } from './result-errors.ts';

export interface BodyLimits extends PaceLimits {
  readonly maxBytes: number;
  /** Where the memory comes from; undefined for small bodies. */
  readonly allocation?: BodyAllocation;
  /** Aborts when the client disconnects or the request is cancelled. */
  readonly signal: CancelSignal;
}

export interface PaceLimits {
  /** The longest silence between two chunks, ms. */
  readonly idleTimeout: number;
  /** Bytes per second that have to arrive in each such period; 0 is no limit. */
  readonly minRate: number;
}

const SHUTDOWN_RETRY_MS = 1000;

/**
 * Reads a complete request body into memory, never more than `maxBytes`, with or without a content-length. Returns a promise
 * only for one that has not arrived yet.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Buffer | Promise<Buffer> {
  const announced = request.headers['content-length'];
  if (announced === undefined && request.headers['transfer-encoding'] === undefined) throw lengthRequired();
  if (Number(announced ?? 0) > limits.maxBytes) throw payloadTooLarge(limits.maxBytes);
  const error = limits.allocation?.errorFor(Number(announced ?? 0));
  if (error !== undefined) throw error;
  if (limits.signal.aborted) throw abortError(limits.signal.reason);
  return isBuffered(request, announced) ? readBuffered(request, limits.allocation) : collect(request, limits);
}

/** Most bodies arrive together with their headers. */
function isBuffered({ readableLength }: IncomingMessage, announced: string | undefined): boolean {
  return announced !== undefined && readableLength === Number(announced) && readableLength > 0;
}

/** Without listeners, timers and promises. */
function readBuffered(request: IncomingMessage, allocation: BodyAllocation | undefined): Buffer {
  const body: Buffer = request.read();
  allocation?.allocate(body.length);
  // Node and the access log wait for the end of the request, which is reported when all of it has been read.
  if (!request.complete) request.resume();
  return body;
}

function collect(
  request: IncomingMessage,
  { maxBytes, idleTimeout, minRate, allocation, signal }: BodyLimits,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks = new BodyChunks();
  const fail = (error: Error) => {
    request.pause();
    reject(error);
  };
  const pace = monitorPace({ idleTimeout, minRate }, () => fail(requestTimeout()));
  const onData = (chunk: Buffer) => {
    pace.addBytes(chunk.length);
    const isTooLarge = chunks.length + chunk.length > maxBytes;
    const error = isTooLarge ? payloadTooLarge(maxBytes) : allocation?.allocate(chunk.length);
    if (error !== undefined) fail(error);
    else chunks.add(chunk);
  };
  const onEnd = () => resolve(chunks.toBuffer());
  // Also emitted after the end, before the listeners are gone; an error with its stack is expensive.
  const onClose = () => request.complete || reject(new ClientDisconnected('the client left'));
  const onAbort = () => fail(abortError(signal.reason));
  const onShutdown = () => fail(draining(SHUTDOWN_RETRY_MS, 'half-sent'));
  if (allocation?.shutdown.aborted) onShutdown();
  allocation?.shutdown.addEventListener('abort', onShutdown, { once: true });
  signal.addEventListener('abort', onAbort, { once: true });
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  return promise.finally(() => {
    pace.stop();
    signal.removeEventListener('abort', onAbort);
    allocation?.shutdown.removeEventListener('abort', onShutdown);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  });
}

/**
 * Calls `onTooSlow` if the chunks of a body arrive too slowly. Each period of `idleTimeout` is judged for itself: bytes that were
 * sent early do not buy hours for the rest.
 */
function monitorPace({ idleTimeout, minRate }: PaceLimits, onTooSlow: () => void) {
  const required = Math.max((minRate * idleTimeout) / 1000, 1);
  let bytesInPeriod = 0;
  const silence = setTimeout(onTooSlow, idleTimeout);
  const periods = setInterval(() => {
    if (minRate > 0 && bytesInPeriod < required) onTooSlow();
    bytesInPeriod = 0;
  }, idleTimeout);
  return {
    addBytes(bytes: number): void {
      silence.refresh();
      bytesInPeriod += bytes;
    },
    stop(): void {
      clearTimeout(silence);
      clearInterval(periods);
    },
  };
}

/** Larger chunks are kept as they come; smaller ones are copied together, as a Buffer takes more than it holds. */
const SMALL = 2048;
const LARGEST_BLOCK = 64 * 1024;
const SMALLEST_BLOCK = 1024;

/** The chunks of a body that is arriving. A client that sends single bytes takes no more memory than the bytes do. */
export class BodyChunks {
  #chunks: Buffer[] = [];
  #length = 0;
  #block = Buffer.alloc(0);
  #filled = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (chunk.length < SMALL) this.#copy(chunk);
    else {
      this.#closeBlock();
      this.#chunks.push(chunk);
    }
  }

  toBuffer(): Buffer {
    this.#closeBlock();
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks, this.#length);
  }

  #copy(chunk: Buffer): void {
    if (this.#filled + chunk.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafe(this.#nextBlockSize(chunk.length));
    }
    chunk.copy(this.#block, this.#filled);
    this.#filled += chunk.length;
  }

  /** As large as everything before it, so that at most twice the bytes are held. Most bodies arrive in one chunk. */
  #nextBlockSize(needed: number): number {
    if (this.#length === needed) return needed;
    return Math.max(Math.min(this.#length, LARGEST_BLOCK), SMALLEST_BLOCK, needed);
  }

  #closeBlock(): void {
    if (this.#filled > 0) this.#chunks.push(this.#block.subarray(0, this.#filled));
    this.#block = this.#block.subarray(this.#filled);
    this.#filled = 0;
  }
}
