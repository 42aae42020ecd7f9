import type { IncomingHttpHeaders } from 'node:http';
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { getOperation } from '../api/route-table.ts';
import type { ExchangeTrace, RequestRecord, RequestTrace } from '../proxy/request-record.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { FailureKind } from '../upstream/failure.ts';

export interface SpanTraceOptions {
  readonly tracer: Tracer;
  readonly propagator: TextMapPropagator;
  readonly record: RequestRecord;
  /** The first path of its route. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
}

/** The spans of one request: the request itself as part of its client's trace, with admissions, exchanges and the relay. */
export class SpanTrace implements RequestTrace {
  readonly id: string;
  readonly #options: SpanTraceOptions;
  readonly #span: Span;
  readonly #context: Context;
  /** Added to `performance.now()` it gives the wall-clock time; measured for each request, as clocks drift. */
  readonly #clockOffset = Date.now() - performance.now();

  constructor(options: SpanTraceOptions) {
    const { tracer, propagator, record, route, headers } = options;
    this.#options = options;
    const parent = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    this.#span = tracer.startSpan(
      `${record.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        startTime: this.#toWallClock(record.startedAt),
        attributes: {
          'http.request.method': record.method,
          'http.route': route,
          'url.path': record.path,
          'corral.request_id': record.id,
        },
      },
      parent,
    );
    this.id = this.#span.spanContext().traceId;
    this.#context = trace.setSpan(parent, this.#span);
  }

  startWait(): (outcome: string) => void {
    const span = this.#startSpan('admission', SpanKind.INTERNAL);
    return (outcome) => {
      span.setAttribute('corral.outcome', outcome);
      span.end(this.#now);
    };
  }

  startExchange(upstreamPath: string): ExchangeTrace {
    const { propagator, record } = this.#options;
    const span = this.#startSpan('exchange', SpanKind.CLIENT);
    span.setAttributes({
      'http.request.method': 'POST',
      'url.path': upstreamPath,
      'corral.retries': record.retries ?? 0,
      'corral.continued': record.continued ?? 0,
    });
    const carrier: { traceparent?: string } = {};
    propagator.inject(trace.setSpan(this.#context, span), carrier, defaultTextMapSetter);
    const end = (result: ExchangeResult) => {
      span.setAttributes(exchangeAttributes(result));
      if (isExchangeError(result)) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(this.#now);
    };
    return { traceparent: carrier.traceparent ?? '', end };
  }

  end(outcome: Parameters<RequestTrace['end']>[0]): void {
    const { record, route } = this.#options;
    const endedAt = this.#toWallClock(record.endedAt ?? performance.now());
    this.#addRelaySpan(endedAt);
    this.#span.setAttributes(requestAttributes(record, route, outcome));
    if (isServerError(outcome)) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end(endedAt);
  }

  /** From the first byte of the response body until the response closed, over any number of exchanges. */
  #addRelaySpan(endedAt: number): void {
    const { firstByteAt, bytesOut } = this.#options.record;
    if (firstByteAt === undefined) return;
    const span = this.#startSpan('relay', SpanKind.INTERNAL, firstByteAt);
    span.setAttribute('http.response.body.size', bytesOut);
    span.end(endedAt);
  }

  #startSpan(name: string, kind: SpanKind, startedAt = performance.now()): Span {
    const startTime = this.#toWallClock(startedAt);
    return this.#options.tracer.startSpan(name, { kind, startTime }, this.#context);
  }

  get #now(): number {
    return this.#toWallClock(performance.now());
  }

  #toWallClock(time: number): number {
    return this.#clockOffset + time;
  }
}

/** Names follow OpenTelemetry's conventions; our own start with `corral.`. No value contains text of a request or response. */
type Attributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

interface Outcome {
  readonly status: number;
  readonly outcome: string;
}

/** The attributes of a finished request. */
function requestAttributes(record: RequestRecord, route: string, { status, outcome }: Outcome): Attributes {
  const { keyId, user, queuedMs, retries = 0, continued = 0 } = record;
  return {
    ...generationAttributes(record, route),
    'http.response.status_code': status,
    'error.type': record.error ?? (outcome === 'client_left' ? outcome : undefined),
    'corral.outcome': outcome,
    'corral.key_id': keyId,
    'corral.user_id': user,
    'corral.queue_ms': queuedMs === undefined ? undefined : Math.round(queuedMs),
    'corral.retries': retries,
    'corral.continued': continued,
  };
}

function generationAttributes(record: RequestRecord, route: string): Attributes {
  const operation = getOperation(route);
  if (operation === undefined) return {};
  const { model, streamed, usage, finishReason } = record;
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': 'llama_cpp',
    'gen_ai.request.model': model,
    'gen_ai.request.stream': streamed,
    'gen_ai.response.finish_reasons': finishReason === undefined ? undefined : [finishReason],
    'gen_ai.usage.input_tokens': usage?.input,
    'gen_ai.usage.output_tokens': usage?.output,
    'gen_ai.usage.cache_read.input_tokens': usage?.cached,
  };
}

function exchangeAttributes(result: ExchangeResult): Attributes {
  if (result.outcome === 'complete') return { 'corral.outcome': result.outcome };
  if (result.outcome === 'failed')
    return { 'corral.outcome': result.outcome, 'error.type': result.failure.kind };
  const { status, code } = result.error;
  return { 'corral.outcome': result.outcome, 'http.response.status_code': status, 'error.type': code };
}

/** By the conventions, a server span is an error only if the server is at fault. */
function isServerError({ status, outcome }: Outcome): boolean {
  return status >= 500 || outcome === 'broken_off';
}

/** Nothing went wrong: the client left, an operator cancelled it, or a line of a batch gave way. */
const deliberate: ReadonlySet<FailureKind> = new Set(['client-left', 'cancelled', 'preempted']);

function isExchangeError(result: ExchangeResult): boolean {
  if (result.outcome !== 'failed') return result.outcome === 'declined';
  return !deliberate.has(result.failure.kind);
}
