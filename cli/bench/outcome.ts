/** What became of one request, all times in ms of `performance.now()`. */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly endedAt: number;
      readonly usage: { readonly input: number; readonly output: number } | undefined;
      /** How often something was said: pieces of a stream, or 1. */
      readonly pieces: number;
      readonly firstAt: number | undefined;
      readonly lastAt: number | undefined;
      /** How long it waited in the gateway's line, where that was told. */
      readonly queuedMs: number | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly endedAt: number;
      /** Such as `503 queue_full`, `connection ECONNREFUSED`, `timeout`. */
      readonly failure: string;
      readonly retryAfterMs: number | undefined;
      /** Nothing came: the server may have closed a connection that was kept for the next request. */
      readonly isUnheard: boolean;
    }
  /** The measurement was broken off. */
  | { readonly kind: 'abandoned' };

/** Milliseconds, from `retry-after-ms` or `retry-after` in seconds or as a date. */
export function readRetryAfter(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const told = headers['retry-after'];
  if (typeof told !== 'string') return undefined;
  const wait = /^\d+(\.\d+)?$/.test(told) ? Number(told) * 1000 : Date.parse(told) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The system's name of the fault, which no prompt can be in. */
export function faultName(error: Error & { readonly code?: unknown; readonly cause?: unknown }): string {
  const { code, cause } = error;
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return `connection ${code}`;
  const deeper = (cause as { code?: unknown } | undefined)?.code;
  return `connection ${typeof deeper === 'string' ? deeper : 'closed'}`;
}
