/** When a child is restarted after an exit, and when to give up. */
export interface RestartPolicy {
  /** The delay before the first of several restarts; it doubles with each one, up to `maxDelayMs`. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** A child that was ready is restarted without delay. */
  readonly restartAtOnce: boolean;
  /** Give up after this many exits within `windowMs`. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** Give up after this many exits in a row before the child was ready, all for the same reason. */
  readonly maxLoadCrashes: number;
  /** A child that ran this long counts as stable: the delays start again from the first. */
  readonly stableAfterMs: number;
}

/** For llama-server, unless the settings differ. */
export const defaultPolicy: RestartPolicy = {
  minDelayMs: 1000,
  maxDelayMs: 30_000,
  restartAtOnce: false,
  maxCrashes: 5,
  windowMs: 300_000,
  maxLoadCrashes: 2,
  stableAfterMs: 120_000,
};

/**
 * For the gateway: clients wait, and it starts in a fraction of a second. The reason of a failed start matters less than for
 * a model, so it gets all attempts.
 */
export function gatewayPolicy(policy: RestartPolicy): RestartPolicy {
  return { ...policy, restartAtOnce: true, maxLoadCrashes: policy.maxCrashes };
}

/** What is remembered of a child's exits. Times are milliseconds of a monotonic clock. */
export interface ExitHistory {
  /** The times of the exits inside the window. */
  readonly exits: readonly number[];
  /** Exits since the child was last stable. */
  readonly consecutive: number;
  /** The last exits in a row before the child was ready, and their common reason. */
  readonly loadFailures: { readonly reason: string; readonly count: number } | undefined;
}

export const noExits: ExitHistory = { exits: [], consecutive: 0, loadFailures: undefined };

export interface ExitSummary {
  readonly ranForMs: number;
  /** Why it exited, if that was before it was ready. */
  readonly loadFailure: string | undefined;
}

export type RestartDecision =
  | { readonly action: 'restart'; readonly delayMs: number; readonly history: ExitHistory }
  | { readonly action: 'give-up'; readonly history: ExitHistory };

/** Whether a child is started again after an exit, and after which delay. */
export function decideRestart(
  policy: RestartPolicy,
  history: ExitHistory,
  exit: ExitSummary,
  now: number,
): RestartDecision {
  const exits = [...history.exits.filter((at) => now - at < policy.windowMs), now];
  const before = exit.ranForMs >= policy.stableAfterMs ? 0 : history.consecutive;
  const loadFailures = countLoadFailures(history, exit);
  const next = { exits, consecutive: before + 1, loadFailures };
  const isTooMany = exits.length >= policy.maxCrashes || (loadFailures?.count ?? 0) >= policy.maxLoadCrashes;
  return isTooMany
    ? { action: 'give-up', history: next }
    : { action: 'restart', delayMs: restartDelay(exit, before, policy), history: next };
}

/** The last `count` exits were not the child's fault and do not count towards giving up. The delays are unchanged. */
export function forgiveExits(history: ExitHistory, count: number): ExitHistory {
  return { ...history, exits: history.exits.slice(0, Math.max(history.exits.length - count, 0)) };
}

function countLoadFailures(
  { loadFailures }: ExitHistory,
  { loadFailure }: ExitSummary,
): ExitHistory['loadFailures'] {
  if (loadFailure === undefined) return undefined;
  const count = loadFailures?.reason === loadFailure ? loadFailures.count + 1 : 1;
  return { reason: loadFailure, count };
}

function restartDelay({ loadFailure }: ExitSummary, earlierRestarts: number, policy: RestartPolicy): number {
  if (policy.restartAtOnce && loadFailure === undefined) return 0;
  return Math.min(policy.minDelayMs * 2 ** earlierRestarts, policy.maxDelayMs);
}
