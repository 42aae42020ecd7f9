import type { ExchangeResult } from '../upstream/exchange.ts';

/** What became of a request at the backend since it last made progress. */
export interface Attempts {
  /** Exchanges. */
  readonly count: number;
  /** Exchanges in which the backend had the request and broke off. */
  readonly brokenOff: number;
  /** When the first of them failed, `performance.now()` ms. */
  readonly since: number;
}

export interface RetryLimits {
  /** At how many crashes in a row a request may be at the engine without progress: it may be the cause. */
  readonly maxReplays: number;
  /** The longest a request may wait for a backend that is not there, ms. */
  readonly maxWaitMs: number;
  /** Another engine serves what this one rejects. */
  readonly otherServes?: boolean;
}

/** For a backend whose health probe succeeds although every request fails. */
const MAX_ATTEMPTS = 10;

/** The attempts with one more that failed. A request that has made progress meanwhile starts again from zero. */
export function recordFailure(
  before: Attempts | undefined,
  result: ExchangeResult,
  { madeProgress, now }: { readonly madeProgress: boolean; readonly now: number },
): Attempts {
  const { count, brokenOff, since } =
    before && !madeProgress ? before : { count: 0, brokenOff: 0, since: now };
  return { count: count + 1, brokenOff: brokenOff + (brokeOff(result) ? 1 : 0), since };
}

/**
 * Whether a request may be sent again. A request that never reached the backend, or found it loading, did no harm; a request that
 * was at the engine when it crashed is counted.
 */
export function shouldRetry(
  result: ExchangeResult,
  attempts: Attempts,
  limits: RetryLimits,
  now: number,
): boolean {
  if (now - attempts.since >= limits.maxWaitMs) return false;
  if (wasNotServed(result) || (limits.otherServes && rejectsKey(result)))
    return attempts.count < MAX_ATTEMPTS;
  return brokeOff(result) && attempts.brokenOff <= limits.maxReplays;
}

const brokeOff = (result: ExchangeResult) =>
  result.outcome === 'failed' && result.failure.kind === 'broke-off';

/** llama-server declines requests like these with 503 only while it loads. */
function wasNotServed(result: ExchangeResult): boolean {
  if (result.outcome === 'declined') return result.error.status === 503;
  return result.outcome === 'failed' && result.failure.kind === 'unreachable';
}

/** Whether the backend, or a proxy in front of it, rejects our own key. */
export function rejectsKey(result: ExchangeResult): boolean {
  return result.outcome === 'declined' && (result.error.status === 401 || result.error.status === 403);
}

/** A request that was at the engine at so many crashes in a row, without progress, may be the cause. */
export function isLikelyCrashCause({ brokenOff }: Attempts, maxReplays: number): boolean {
  return brokenOff > Math.max(maxReplays, 1);
}
