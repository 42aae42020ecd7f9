import type { Ending } from '../upstream/exchange.ts';

/** One request, followed for a collector of traces. */
export interface RequestTrace {
  /** By it the pages of a collector find the trace. */
  readonly id: string;
  /** A wait for a slot has begun; what comes back is told what became of it. */
  waits(): (outcome: string) => void;
  /** An exchange with the backend begins: one for each try. */
  tries(upstreamPath: string): ExchangeTrace;
  /** The response has closed, and the record is whole. */
  ends(end: { readonly status: number; readonly outcome: string }): void;
}

export interface ExchangeTrace {
  /** Names our own span to the backend. */
  readonly traceparent: string;
  ends(ending: Ending): void;
}
