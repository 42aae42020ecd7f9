import type { Aggregator } from '../api/aggregation.ts';
import { parseBackendError } from '../api/backend-error.ts';
import type { ResponseRewriter, StreamFormatter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import type { NativeStreamEnd } from '../api/stream-markers.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { BackendError } from '../errors/api-error.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { BackendPool } from './backend-pool.ts';
import { AggregatingRelay, RewritingRelay } from './body-relays.ts';
import { deadlines, type Timed } from './deadlines.ts';
import { type EventObserver, EventStreamRelay } from './event-stream-relay.ts';
import { classifyFailure, type Failure, TimeoutExceeded, UnexpectedResponse } from './failure.ts';
import { headersForClient, isEventStream } from './headers.ts';
import type { KeepAlive } from './keep-alive.ts';
import { type HeadWriter, PlainRelay } from './plain-relay.ts';
import type { Relay, ResponseTail } from './relay.ts';
import type { ResponseHeaders } from './response-parser.ts';
import type { SlotUse } from './slot-tracker.ts';
import type { ResponseHandler, UpstreamRequest } from './upstream-request.ts';

export interface ExchangeRequest {
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer;
  /** For a stream: llama-server closes the connection after it without announcing that. */
  readonly closesConnection: boolean;
}

export interface ExchangeTimeouts {
  /** The longest wait for the head of the response, ms; 0 is no limit. */
  readonly firstByteTimeout: number;
  /** The longest silence after it. */
  readonly idleTimeout: number;
  /** The longest time in all. */
  readonly totalTimeout: number;
}

export interface ExchangeContext {
  readonly pool: BackendPool;
  readonly response: ClientResponse;
  readonly dialect: Dialect;
  readonly formatter: StreamFormatter;
  /** If responses do not pass as they are. */
  readonly rewriter: ResponseRewriter | undefined;
  /** If a stream is to become a JSON response. */
  readonly aggregator: Aggregator | undefined;
  /** Applied to the events of a stream first, for example if it continues the stream of another engine. */
  readonly resumeRewriter: Pick<ResponseRewriter, 'rewriteEvents'> | undefined;
  /** If the client may be kept alive before and during its response. */
  readonly keepAlive: KeepAlive | undefined;
  readonly tail: ResponseTail;
  /** Native streams only. */
  readonly nativeEnd: NativeStreamEnd | undefined;
  readonly observe: EventObserver;
  /** The stream of another engine that this exchange continues. */
  readonly resumedRelay: EventStreamRelay | undefined;
  readonly slotUse: SlotUse;
  /** Aborts when the client disconnects or the request is cancelled. Its reason is an error of failure.ts. */
  readonly signal: CancelSignal;
  /**
   * For work that llama-server completes whether its client is connected or not. It is called when the client has gone, with
   * a promise that resolves when the work is done.
   */
  readonly keepLeaseUntil: ((done: Promise<void>) => void) | undefined;
  readonly timeouts: ExchangeTimeouts;
  /** When the client's request arrived, `performance.now()`. */
  readonly startedAt: number;
  readonly queuedMs: number;
}

/**
 * How an exchange ended. After `failed` with a relay, the client has a part of the response and is informed in the stream.
 * Without one the client has received nothing yet, and a response with an error status is possible.
 */
export type ExchangeResult =
  | { readonly outcome: 'complete' }
  | { readonly outcome: 'declined'; readonly error: BackendError }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly relay: Relay | undefined };

/** Sends one request to the backend and relays the response. Resolves when the upstream side has closed; never rejects. */
export function exchange(request: ExchangeRequest, context: ExchangeContext): Promise<ExchangeResult> {
  const handler = new ExchangeHandler(context);
  handler.send(request);
  return handler.ended;
}

/** Enough for any error of llama-server. What is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

/** For work that goes on without a client, ms. */
const MAX_ORPHANED_MS = 600_000;

/** How much may wait for a client that does not keep up, bytes. */
const MAX_UNREAD = 1024 ** 2;

const complete = { outcome: 'complete' } as const;
const noHeaders: ResponseHeaders = {};

/** The beginning of the body of an error. */
interface ErrorBody {
  readonly chunks: Buffer[];
  bytes: number;
}

class ExchangeHandler implements ResponseHandler, HeadWriter, Timed {
  readonly ended: Promise<ExchangeResult>;
  readonly deadline: number;
  watchKey: number | undefined = undefined;
  readonly #context: ExchangeContext;
  readonly #onSignal = () => this.#abandon(this.#context.signal.reason as Error);
  #resolve: (result: ExchangeResult) => void = () => {};
  #stalledTimer: NodeJS.Timeout | undefined = undefined;
  #request: UpstreamRequest | undefined = undefined;
  #abortReason: Error | undefined = undefined;
  /** Set when the client has gone and the backend works on: called when that is done. */
  #onOrphanDone: (() => void) | undefined = undefined;
  #status = 0;
  #headers: ResponseHeaders = noHeaders;
  #relay: Relay | undefined = undefined;
  #aggregating: AggregatingRelay | undefined = undefined;
  #errorBody: ErrorBody | undefined = undefined;

  constructor(context: ExchangeContext) {
    this.#context = context;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.deadline = deadlines.after(context.timeouts.totalTimeout);
    deadlines.add(this);
    if (context.signal.aborted) this.#onSignal();
    else context.signal.addEventListener('abort', this.#onSignal, { once: true });
  }

  onDeadline(): void {
    this.#abort(new TimeoutExceeded());
  }

  #end(result: ExchangeResult): void {
    const { signal, slotUse } = this.#context;
    deadlines.delete(this);
    if (this.#stalledTimer !== undefined) clearTimeout(this.#stalledTimer);
    signal.removeEventListener('abort', this.#onSignal);
    slotUse.end(mayStillRun(result) ? 'aborted' : 'complete');
    this.#resolve(result);
  }

  send({ path, headers, body, closesConnection }: ExchangeRequest): void {
    const { pool, timeouts } = this.#context;
    const { firstByteTimeout: headersTimeout, idleTimeout: bodyTimeout } = timeouts;
    if (this.#abortReason) this.onError(this.#abortReason);
    else
      this.#request = pool.send({ path, headers, body, closesConnection, headersTimeout, bodyTimeout }, this);
  }

  onHead(status: number, headers: ResponseHeaders): void {
    if (this.#onOrphanDone) return;
    this.#context.slotUse.start();
    this.#status = status;
    this.#headers = headers;
    if (status >= 400) {
      this.#errorBody = { chunks: [], bytes: 0 };
      return;
    }
    const { aggregator, keepAlive, resumedRelay, response } = this.#context;
    const isStream = isEventStream(headers);
    if (isStream && resumedRelay) this.#relay = resumedRelay;
    else if (isStream && aggregator) this.#aggregating = this.#createAggregatingRelay(aggregator);
    else if (response.headersSent && isStream !== (keepAlive?.format === 'events'))
      this.#abort(new UnexpectedResponse('the backend sent another kind of response than requested'));
    else this.#relay = isStream ? this.#startStream() : this.#createJsonRelay();
  }

  #startStream(): Relay {
    const { response, tail, keepAlive } = this.#context;
    this.#writeHead(this.#status, this.#headers);
    // Together with the first event, if that came with the head.
    queueMicrotask(() => tail.bytes > 0 || response.flushHead());
    keepAlive?.touch();
    return new EventStreamRelay(this.#context);
  }

  #createJsonRelay(): Relay {
    const { response, rewriter, tail } = this.#context;
    if (rewriter === undefined) return new PlainRelay(response, tail, this);
    return new RewritingRelay(response, tail, rewriter, (contentLength) => this.writeHead(contentLength));
  }

  /** The head of a JSON response. `contentLength`: undefined for that of the backend. */
  writeHead(contentLength?: number): void {
    this.#context.keepAlive?.stop();
    this.#writeHead(this.#status, this.#headers, contentLength?.toString());
  }

  #createAggregatingRelay(aggregator: Aggregator): AggregatingRelay {
    const { response, dialect, resumeRewriter, observe, rewriter, tail, keepAlive } = this.#context;
    const writeHead = (contentLength: number) => {
      keepAlive?.stop();
      this.#writeHead(200, noHeaders, String(contentLength));
    };
    return new AggregatingRelay({
      response,
      dialect,
      aggregator,
      resumeRewriter,
      observe,
      rewriter,
      tail,
      writeHead,
    });
  }

  /** Does nothing if a head was sent early. */
  #writeHead(status: number, headers: ResponseHeaders, contentLength?: string): void {
    const { response, startedAt, queuedMs } = this.#context;
    if (response.headersSent) return;
    const processingMs = performance.now() - startedAt - queuedMs;
    response.writeHead(status, headersForClient(headers, { queuedMs, processingMs }, contentLength));
  }

  onBody(chunk: Buffer): void {
    if (this.#onOrphanDone) return;
    if (this.#errorBody) collect(this.#errorBody, chunk);
    else if (this.#aggregating) this.#aggregating.write(chunk);
    else if (this.#relay?.write(chunk) === false && this.#isFarBehind) this.#pause();
  }

  /** Most responses are far shorter, and a slot is worth more than the memory: it becomes free before the client has read all. */
  get #isFarBehind(): boolean {
    return this.#context.response.raw.writableLength > MAX_UNREAD;
  }

  /** Stops reading until the client has caught up. A client that reads nothing for too long is disconnected. */
  #pause(): void {
    const { response, timeouts } = this.#context;
    this.#request?.pause();
    clearTimeout(this.#stalledTimer);
    if (timeouts.idleTimeout > 0)
      this.#stalledTimer = setTimeout(() => response.destroy(), timeouts.idleTimeout);
    response.raw.once('drain', () => {
      clearTimeout(this.#stalledTimer);
      this.#request?.resume();
    });
  }

  onEnd(): void {
    if (this.#onOrphanDone) {
      this.#onOrphanDone();
    } else if (this.#errorBody) {
      const body = Buffer.concat(this.#errorBody.chunks).toString();
      this.#end({ outcome: 'declined', error: parseBackendError(this.#status, body) });
    } else if (this.#aggregating) {
      this.#end(this.#aggregating.end());
    } else if (this.#relay?.end() === false) {
      const cause = new Error('the backend closed the connection before the response was complete');
      this.#end({ outcome: 'failed', failure: { kind: 'broke-off', cause }, relay: this.#relay });
    } else {
      this.#end(complete);
    }
  }

  onError(error: Error): void {
    const relay = this.#startedRelay;
    if (this.#onOrphanDone) this.#onOrphanDone();
    // A stream is complete if the connection was lost after its end marker.
    else if (!this.#abortReason && relay instanceof EventStreamRelay && relay.end(false))
      this.#end({ outcome: 'complete' });
    else this.#end({ outcome: 'failed', failure: classifyFailure(this.#abortReason ?? error), relay });
  }

  get #startedRelay(): Relay | undefined {
    return this.#relay?.hasStarted ? this.#relay : undefined;
  }

  #abandon(reason: Error): void {
    const { keepLeaseUntil } = this.#context;
    const request = this.#request;
    if (keepLeaseUntil === undefined || request === undefined) this.#abort(reason);
    else this.#letWorkFinish(keepLeaseUntil, request, reason);
  }

  #letWorkFinish(
    keepLeaseUntil: (done: Promise<void>) => void,
    request: UpstreamRequest,
    reason: Error,
  ): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => request.abort(reason), MAX_ORPHANED_MS);
    this.#onOrphanDone = () => {
      clearTimeout(timer);
      resolve();
    };
    keepLeaseUntil(promise);
    request.resume();
    this.#end({ outcome: 'failed', failure: classifyFailure(reason), relay: this.#startedRelay });
  }

  /** Closes the upstream connection, which is how llama-server learns that a request is cancelled. */
  #abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#request?.abort(this.#abortReason);
  }
}

/** Whether the backend may still be working on the request. */
function mayStillRun(result: ExchangeResult): boolean {
  if (result.outcome !== 'failed') return false;
  return result.failure.kind !== 'unreachable' && result.failure.kind !== 'not-stored';
}

function collect(error: ErrorBody, chunk: Buffer): void {
  if (error.bytes >= MAX_ERROR_BYTES) return;
  error.chunks.push(chunk);
  error.bytes += chunk.length;
}
