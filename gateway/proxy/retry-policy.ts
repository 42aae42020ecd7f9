import type { ExchangeResult } from '../upstream/exchange.ts';

/** What became of a request at the backend since it last got on. */
export interface Attempts {
  /** Exchanges. */
  readonly count: number;
  /** Exchanges in which the backend had the request and broke off. */
  readonly brokenOff: number;
  /** When the first of them failed, `performance.now()` ms. */
  readonly since: number;
}

export interface RetryLimits {
  /** How often a request may be at work when the engine dies, and get nowhere, before it is refused: it may be what kills it. */
  readonly maxReplays: number;
  /** The longest a request may wait for a backend that is away, ms. */
  readonly maxWaitMs: number;
}

/** Against a backend whose probe answers and whose other doors are shut. */
const MOST_TRIES = 10;

/** The tries with one more that failed. One that has got on meanwhile, by a word of its answer, begins anew. */
export function recordFailure(
  before: Attempts | undefined,
  ending: ExchangeResult,
  { hasGotOn, now }: { readonly hasGotOn: boolean; readonly now: number },
): Attempts {
  const { count, brokenOff, since } = before && !hasGotOn ? before : { count: 0, brokenOff: 0, since: now };
  return { count: count + 1, brokenOff: brokenOff + (brokeOff(ending) ? 1 : 0), since };
}

/**
 * Whether a request may be sent again, as far as its failures go. One that never reached the backend, or found it loading,
 * did nobody harm; one that was at work when the engine died is counted.
 */
export function shouldRetry(
  ending: ExchangeResult,
  tries: Attempts,
  limits: RetryLimits,
  now: number,
): boolean {
  if (now - tries.since >= limits.maxWaitMs) return false;
  if (wasAway(ending)) return tries.count < MOST_TRIES;
  return brokeOff(ending) && tries.brokenOff <= limits.maxReplays;
}

const brokeOff = (ending: ExchangeResult) =>
  ending.outcome === 'failed' && ending.failure.kind === 'broke-off';

/** llama-server says 503 while it loads, and of nothing else that it is asked for here. */
function wasAway(ending: ExchangeResult): boolean {
  if (ending.outcome === 'declined') return ending.error.status === 503;
  return ending.outcome === 'failed' && ending.failure.kind === 'unreachable';
}

/** A request that was at work at so many deaths in a row, and got nowhere, may be what the engine dies of. */
export function isLikelyCrashCause({ brokenOff }: Attempts, maxReplays: number): boolean {
  return brokenOff > Math.max(maxReplays, 1);
}
