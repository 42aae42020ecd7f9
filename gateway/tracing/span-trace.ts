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
import type { ExchangeTrace, RequestRecord, RequestTrace } from '../proxy/request-record.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { exchangeAttributes, isExchangeError, isServerError, requestAttributes } from './span-attributes.ts';

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
