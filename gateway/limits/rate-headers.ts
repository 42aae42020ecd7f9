import type { Rates } from '../config.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { CounterResult } from './counter-store.ts';

/** Sets the headers on errors and relayed responses alike. */
export function setRateHeaders(
  response: ClientResponse,
  unit: keyof Rates,
  limit: number,
  count: CounterResult,
): void {
  if (response.headersSent) return;
  const [limitName, remainingName, resetName] = headerNames[unit];
  response.setHeader(limitName, String(limit));
  response.setHeader(remainingName, String(Math.max(limit - count.used, 0)));
  response.setHeader(resetName, formatReset(count.resetMs));
}

const headerNames = {
  requests: ['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  tokens: ['x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
} as const satisfies Record<keyof Rates, readonly [string, string, string]>;

export const hasRateHeaders = (response: ClientResponse, unit: keyof Rates) =>
  response.hasHeader(headerNames[unit][0]);

/** All of them, for CORS: browsers may read only the headers that are listed. */
export const rateHeaderNames: readonly string[] = Object.values(headerNames).flat();

/** A duration in OpenAI's format: `850ms`, `12s`, `1m0s`, rounded up. */
export function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.max(Math.ceil(ms), 0)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
