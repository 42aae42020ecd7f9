import type { ExchangeResult } from '../upstream/exchange.ts';

/** The trace of one request. */
export interface RequestTrace {
  /** The trace id, for the log. */
  readonly id: string;
  /** Starts the span of a wait for a slot; call the returned function with its outcome. */
  startWait(): (outcome: string) => void;
  /** Starts the span of an exchange with the backend, one per attempt. */
  startExchange(upstreamPath: string): ExchangeTrace;
  /** Call when the response has closed and the record is complete. */
  end(outcome: { readonly status: number; readonly outcome: string }): void;
}

export interface ExchangeTrace {
  /** The header value that identifies our span to the backend. */
  readonly traceparent: string;
  end(result: ExchangeResult): void;
}
