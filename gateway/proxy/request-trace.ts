import type { ExchangeResult } from '../upstream/exchange.ts';

/** One request, followed for a collector of traces. */
export interface RequestTrace {
  /** By it the pages of a collector find the trace. */
  readonly id: string;
  /** A wait for a slot has begun; what comes back is told what became of it. */
  startWait(): (outcome: string) => void;
  /** An exchange with the backend begins: one for each try. */
  startExchange(upstreamPath: string): ExchangeTrace;
  /** The response has closed, and the record is whole. */
  end(end: { readonly status: number; readonly outcome: string }): void;
}

export interface ExchangeTrace {
  /** Names our own span to the backend. */
  readonly traceparent: string;
  end(ending: ExchangeResult): void;
}
