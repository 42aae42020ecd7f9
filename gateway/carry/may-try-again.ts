import type { Ending } from '../upstream/exchange.ts';

/** What became of a request at the backend so far. */
export interface Tries {
  /** Exchanges so far. */
  readonly tries: number;
  /** Exchanges in which the backend had the request and broke off. */
  readonly brokenOff: number;
  /** Since the request arrived, ms. */
  readonly forMs: number;
}

export interface TryLimits {
  /** How often a request may be at work when the engine dies before it is refused: it may be what kills it. */
  readonly maxReplays: number;
  /** The longest a request may wait for a backend that is away, ms. */
  readonly patienceMs: number;
}

/** Against a backend whose probe answers and whose other doors are shut. */
const MOST_TRIES = 10;

/**
 * Whether a request may be sent again, which is as long as nothing of an answer has gone to its client. One that never
 * reached the backend did nobody harm; one that was at work when the engine died is counted.
 */
export function mayTryAgain(ending: Ending, { tries, brokenOff, forMs }: Tries, limits: TryLimits): boolean {
  if (forMs >= limits.patienceMs) return false;
  if (ending.outcome !== 'failed' || ending.relay !== undefined) return false;
  if (ending.failure.kind === 'unreachable') return tries < MOST_TRIES;
  return ending.failure.kind === 'broke-off' && brokenOff <= limits.maxReplays;
}
