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
import type { RequestRecord } from '../proxy/request-record.ts';
import type { ExchangeTrace, RequestTrace } from '../proxy/request-trace.ts';
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

/** The spans of one request: itself, as a part of its client's trace; below it admissions, exchanges and the relay. */
export class SpanTrace implements RequestTrace {
  readonly id: string;
  readonly #followed: SpanTraceOptions;
  readonly #span: Span;
  readonly #context: Context;
  /** What to add to `performance.now()` for the time of day; taken anew for each request, as clocks drift. */
  readonly #clock = Date.now() - performance.now();

  constructor(followed: SpanTraceOptions) {
    const { tracer, propagator, record, route, headers } = followed;
    this.#followed = followed;
    const caller = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    this.#span = tracer.startSpan(
      `${record.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        startTime: this.#at(record.startedAt),
        attributes: {
          'http.request.method': record.method,
          'http.route': route,
          'url.path': record.path,
          'corral.request_id': record.id,
        },
      },
      caller,
    );
    this.id = this.#span.spanContext().traceId;
    this.#context = trace.setSpan(caller, this.#span);
  }

  startWait(): (outcome: string) => void {
    const span = this.#begin('admission', SpanKind.INTERNAL);
    return (outcome) => {
      span.setAttribute('corral.outcome', outcome);
      span.end(this.#now);
    };
  }

  startExchange(upstreamPath: string): ExchangeTrace {
    const { propagator, record } = this.#followed;
    const span = this.#begin('exchange', SpanKind.CLIENT);
    span.setAttributes({
      'http.request.method': 'POST',
      'url.path': upstreamPath,
      'corral.retries': record.retries ?? 0,
      'corral.continued': record.continued ?? 0,
    });
    const carrier: { traceparent?: string } = {};
    propagator.inject(trace.setSpan(this.#context, span), carrier, defaultTextMapSetter);
    const ends = (ending: ExchangeResult) => {
      span.setAttributes(exchangeAttributes(ending));
      if (isExchangeError(ending)) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(this.#now);
    };
    return { traceparent: carrier.traceparent ?? '', end: ends };
  }

  end(end: Parameters<RequestTrace['end']>[0]): void {
    const { record, route } = this.#followed;
    const endedAt = this.#at(record.endedAt ?? performance.now());
    this.#showRelay(endedAt);
    this.#span.setAttributes(requestAttributes(record, route, end));
    if (isServerError(end)) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end(endedAt);
  }

  /** From the first byte of the answer's body until the response closed, over however many exchanges. */
  #showRelay(endedAt: number): void {
    const { firstByteAt, bytesOut } = this.#followed.record;
    if (firstByteAt === undefined) return;
    const span = this.#begin('relay', SpanKind.INTERNAL, firstByteAt);
    span.setAttribute('http.response.body.size', bytesOut);
    span.end(endedAt);
  }

  #begin(name: string, kind: SpanKind, since = performance.now()): Span {
    return this.#followed.tracer.startSpan(name, { kind, startTime: this.#at(since) }, this.#context);
  }

  get #now(): number {
    return this.#at(performance.now());
  }

  #at(time: number): number {
    return this.#clock + time;
  }
}
