import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Aggregator } from '../api/aggregation.ts';
import { parseBackendError } from '../api/backend-error.ts';
import type { ResponseRewriter, StreamFormatter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import type { NativeStreamEnd } from '../api/stream-markers.ts';
import type { BackendError } from '../errors/api-error.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { AggregatingRelay } from './aggregating-relay.ts';
import { type EventObserver, EventStreamRelay } from './event-stream-relay.ts';
import { classifyFailure, type Failure, TimeoutExceeded, UnexpectedResponse } from './failure.ts';
import { headersForClient, isEventStream } from './headers.ts';
import type { KeepAlive } from './keep-alive.ts';
import { PlainRelay } from './plain-relay.ts';
import type { BackendPool } from './pool.ts';
import type { Relay } from './relay.ts';
import type { ResponseTail } from './response-tail.ts';
import { RewritingRelay } from './rewriting-relay.ts';
import type { SlotUse } from './slot-tracker.ts';

export interface ExchangeRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** It asks for a stream, behind which llama-server closes the connection without having said so. */
  readonly closesConnection: boolean;
}

export interface ExchangeTimeouts {
  /** The longest wait for the head of the answer, ms; 0 is no limit. */
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
  /** Where answers do not pass as they are. */
  readonly rewriter: ResponseRewriter | undefined;
  /** Where a stream is to become an answer in one piece. */
  readonly aggregator: Aggregator | undefined;
  /** What the events of a stream pass first, as where another engine's answer is gone on with. */
  readonly resumeRewriter: Pick<ResponseRewriter, 'rewriteEvents'> | undefined;
  /** Where the client may be kept alive before and between the pieces of its answer. */
  readonly keepAlive: KeepAlive | undefined;
  readonly tail: ResponseTail;
  /** How a native stream shows that it is whole. */
  readonly nativeEnd: NativeStreamEnd | undefined;
  /** Hears the events of a stream. */
  readonly observe: EventObserver;
  /** The stream of another engine that this exchange is to go on with. */
  readonly resumedRelay: EventStreamRelay | undefined;
  /** In the backend's slots. */
  readonly slotUse: SlotUse;
  /** Aborts when the client leaves or the request is cancelled; the reason is an Error of failure.ts. */
  readonly signal: AbortSignal;
  /**
   * Of work that llama-server does to its end whether its client is there or not: nobody waits for it any more, and this
   * is told when it is over.
   */
  readonly keepLeaseUntil: ((untilThen: Promise<void>) => void) | undefined;
  readonly timeouts: ExchangeTimeouts;
  /** When the client's request arrived, `performance.now()`. */
  readonly startedAt: number;
  readonly queuedMs: number;
}

/**
 * How an exchange ended. Only after `failed` with a relay is there somebody to tell in the stream; without one, nothing
 * has gone to the client yet and a refusal with a status of its own is possible.
 */
export type ExchangeResult =
  | { readonly outcome: 'complete' }
  | { readonly outcome: 'declined'; readonly error: BackendError }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly relay: Relay | undefined };

/** One request at the backend. Settles when the upstream has closed. */
export function exchange(request: ExchangeRequest, context: ExchangeContext): Promise<ExchangeResult> {
  const handler = new ExchangeHandler(context);
  const { path, headers, body, closesConnection: reset } = request;
  const { firstByteTimeout, idleTimeout } = context.timeouts;
  context.pool.dispatch(
    {
      method: 'POST',
      path,
      headers,
      body,
      reset,
      headersTimeout: firstByteTimeout,
      bodyTimeout: idleTimeout,
    },
    handler,
  );
  return handler.ended;
}

/** Enough for any error that llama-server words; what is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

/** For work that goes on without a client, ms. */
const WORKS_ON_AT_MOST = 600_000;

/** What waits for a client that does not keep up, bytes. */
const MOST_UNREAD = 1024 ** 2;

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly ended: Promise<ExchangeResult>;
  readonly #context: ExchangeContext;
  readonly #end: (ending: ExchangeResult) => void;
  readonly #abortForSignal = () => this.#leave(this.#context.signal.reason);
  readonly #timer: NodeJS.Timeout | undefined;
  #stuck: NodeJS.Timeout | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  /** Nobody waits for the answer any more, and the backend works on: called when it has done. */
  #onDone: (() => void) | undefined;
  #relay: Relay | undefined;
  #assembling: AggregatingRelay | undefined;
  #error: { readonly status: number; readonly chunks: Buffer[]; bytes: number } | undefined;

  constructor(context: ExchangeContext) {
    const { promise, resolve } = Promise.withResolvers<ExchangeResult>();
    this.ended = promise;
    this.#end = (ending) => {
      clearTimeout(this.#timer);
      clearTimeout(this.#stuck);
      context.signal.removeEventListener('abort', this.#abortForSignal);
      context.slotUse.end(isBrokenOff(ending) ? 'broken-off' : 'complete');
      resolve(ending);
    };
    this.#context = context;
    const { totalTimeout } = context.timeouts;
    if (totalTimeout > 0) this.#timer = setTimeout(() => this.#abort(new TimeoutExceeded()), totalTimeout);
    if (context.signal.aborted) this.#abortForSignal();
    else context.signal.addEventListener('abort', this.#abortForSignal, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(this.#aborted);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#onDone) return;
    this.#context.slotUse.start();
    if (status >= 400) {
      this.#error = { status, chunks: [], bytes: 0 };
      return;
    }
    const { aggregator, keepAlive } = this.#context;
    const isStream = isEventStream(headers);
    if (isStream && this.#context.resumedRelay) this.#relay = this.#context.resumedRelay;
    else if (isStream && aggregator) this.#assemble(aggregator);
    else if (this.#context.response.headersSent && isStream !== (keepAlive?.format === 'events'))
      this.#abort(new UnexpectedResponse('the backend answered in another form than it was asked for'));
    else this.#relay = this.#relayAs(status, headers, isStream);
  }

  #relayAs(status: number, headers: IncomingHttpHeaders, isStream: boolean): Relay {
    const { response, dialect, formatter, rewriter, tail, keepAlive, observe, nativeEnd, resumeRewriter } =
      this.#context;
    if (isStream) {
      this.#begin(status, headers);
      // Together with the first event, where that has come with the head.
      queueMicrotask(() => tail.bytes > 0 || response.flushHead());
      keepAlive?.touch();
      return new EventStreamRelay({
        response,
        dialect,
        voice: formatter,
        mender: rewriter,
        ends: tail,
        pacemaker: keepAlive,
        listen: observe,
        finals: nativeEnd,
        seam: resumeRewriter,
      });
    }
    const begin = (length?: number) => {
      keepAlive?.stop();
      const ofOurs = length === undefined ? {} : { 'content-length': String(length) };
      this.#begin(status, { ...headers, ...ofOurs });
    };
    return rewriter
      ? new RewritingRelay(response, tail, rewriter, begin)
      : new PlainRelay(response, tail, begin);
  }

  #assemble(assembly: Aggregator): void {
    const { response, dialect, resumeRewriter, observe, rewriter, tail, keepAlive } = this.#context;
    const begin = (contentLength: number) => {
      keepAlive?.stop();
      this.#begin(200, { 'content-length': String(contentLength) });
    };
    this.#assembling = new AggregatingRelay({
      response,
      dialect,
      assembly,
      seam: resumeRewriter,
      listen: observe,
      mender: rewriter,
      ends: tail,
      begin,
    });
  }

  /** Writes the head, unless one went out early. */
  #begin(status: number, headers: IncomingHttpHeaders): void {
    const { response, startedAt, queuedMs } = this.#context;
    if (response.headersSent) return;
    const processingMs = performance.now() - startedAt - queuedMs;
    response.writeHead(status, headersForClient(headers, { queuedMs, processingMs }));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#onDone) return;
    if (this.#error) collect(this.#error, chunk);
    else if (this.#assembling) this.#assembling.write(chunk);
    else if (this.#relay?.write(chunk) === false && this.#isFarBehind) this.#holdBack(controller);
  }

  /** Most answers are far shorter: a slot is worth more than the memory that lets it go before its client has read all. */
  get #isFarBehind(): boolean {
    return this.#context.response.raw.writableLength > MOST_UNREAD;
  }

  /** Reads on as soon as the client has caught up; one that takes nothing for too long gives its slot to others. */
  #holdBack(controller: Dispatcher.DispatchController): void {
    const { response, timeouts } = this.#context;
    controller.pause();
    clearTimeout(this.#stuck);
    if (timeouts.idleTimeout > 0) this.#stuck = setTimeout(() => response.destroy(), timeouts.idleTimeout);
    response.raw.once('drain', () => {
      clearTimeout(this.#stuck);
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (this.#onDone) {
      this.#onDone();
    } else if (this.#error) {
      const { status, chunks } = this.#error;
      this.#end({ outcome: 'declined', error: parseBackendError(status, Buffer.concat(chunks).toString()) });
    } else if (this.#assembling) {
      this.#end(this.#assembling.end());
    } else if (this.#relay?.end() === false) {
      const cause = new Error('the backend stopped before the answer was complete');
      this.#end({ outcome: 'failed', failure: { kind: 'broke-off', cause }, relay: this.#relay });
    } else {
      this.#end({ outcome: 'complete' });
    }
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const relay = this.#begunRelay;
    if (this.#onDone) this.#onDone();
    // Cut behind its end mark, a stream is whole all the same.
    else if (!this.#aborted && relay instanceof EventStreamRelay && relay.end(false))
      this.#end({ outcome: 'complete' });
    else this.#end({ outcome: 'failed', failure: classifyFailure(this.#aborted ?? error), relay });
  }

  get #begunRelay(): Relay | undefined {
    return this.#relay?.hasStarted ? this.#relay : undefined;
  }

  #leave(reason: Error): void {
    const { keepLeaseUntil } = this.#context;
    const controller = this.#controller;
    if (keepLeaseUntil === undefined || controller === undefined) this.#abort(reason);
    else this.#letWorkOn(keepLeaseUntil, controller, reason);
  }

  #letWorkOn(
    worksOn: (untilThen: Promise<void>) => void,
    controller: Dispatcher.DispatchController,
    reason: Error,
  ): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => controller.abort(reason), WORKS_ON_AT_MOST);
    this.#onDone = () => {
      clearTimeout(timer);
      resolve();
    };
    worksOn(promise);
    controller.resume();
    this.#end({ outcome: 'failed', failure: classifyFailure(reason), relay: this.#begunRelay });
  }

  /** Closes the upstream socket, which is how llama-server learns that a request is cancelled. */
  #abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#controller?.abort(this.#aborted);
  }
}

/** Whether the backend may be at work on it still. */
function isBrokenOff(ending: ExchangeResult): boolean {
  return ending.outcome === 'failed' && ending.failure.kind !== 'unreachable';
}

function collect(error: { readonly chunks: Buffer[]; bytes: number }, chunk: Buffer): void {
  if (error.bytes >= MAX_ERROR_BYTES) return;
  error.chunks.push(chunk);
  error.bytes += chunk.length;
}
