/** How a child that ends is brought back, and when that is no longer worth trying. */
export interface RestartPolicy {
  /** The wait before the first restart in a row; it doubles with each further one, up to `longestDelayMs`. */
  readonly delayMs: number;
  readonly longestDelayMs: number;
  /** One that was ready is started again without any wait. */
  readonly atOnceAfterService: boolean;
  /** This many ends within `windowMs` are given up on. */
  readonly mostEnds: number;
  readonly windowMs: number;
  /** So are this many in a row that came before the child was ready, all for the same reason. */
  readonly mostLoadEnds: number;
  /** A child that has run this long is taken for well: the waits begin anew. */
  readonly quietMs: number;
}

/** For llama-server, unless the settings say otherwise. */
export const defaultPolicy: RestartPolicy = {
  delayMs: 1000,
  longestDelayMs: 30_000,
  atOnceAfterService: false,
  mostEnds: 5,
  windowMs: 300_000,
  mostLoadEnds: 2,
  quietMs: 120_000,
};

/**
 * For the gateway: clients are waiting, and it is up again in a fraction of a second. Why it could not start is less
 * telling than with a model, so it gets all of its tries.
 */
export function gatewayPolicy(policy: RestartPolicy): RestartPolicy {
  return { ...policy, atOnceAfterService: true, mostLoadEnds: policy.mostEnds };
}

/** What is remembered of a child's ends. Times are milliseconds of a clock that never jumps. */
export interface ExitHistory {
  /** When it ended, those inside the window only. */
  readonly ends: readonly number[];
  /** Ends since it last ran quietly. */
  readonly inARow: number;
  /** The last ends in a row that came before it was ready, and the reason they share. */
  readonly duringLoad: { readonly reason: string; readonly count: number } | undefined;
}

export const noExits: ExitHistory = { ends: [], inARow: 0, duringLoad: undefined };

export interface ExitSummary {
  readonly ranForMs: number;
  /** Why it ended, where it ended before it was ready. */
  readonly loadFailure: string | undefined;
}

export type RestartDecision =
  | { readonly action: 'restart'; readonly delayMs: number; readonly history: ExitHistory }
  | { readonly action: 'give-up'; readonly history: ExitHistory };

/** What to do about a child that has ended. */
export function decideRestart(
  policy: RestartPolicy,
  history: ExitHistory,
  end: ExitSummary,
  now: number,
): RestartDecision {
  const ends = [...history.ends.filter((at) => now - at < policy.windowMs), now];
  const before = end.ranForMs >= policy.quietMs ? 0 : history.inARow;
  const duringLoad = loadEndsAfter(history, end);
  const next = { ends, inARow: before + 1, duringLoad };
  const isHopeless = ends.length >= policy.mostEnds || (duringLoad?.count ?? 0) >= policy.mostLoadEnds;
  return isHopeless
    ? { action: 'give-up', history: next }
    : { action: 'restart', delayMs: delayAfter(end, before, policy), history: next };
}

/** The newest ends, so many, were not the child's own fault: they are no reason to give up. The waits stay as they are. */
export function forgiveExits(history: ExitHistory, count: number): ExitHistory {
  return { ...history, ends: history.ends.slice(0, Math.max(history.ends.length - count, 0)) };
}

function loadEndsAfter({ duringLoad }: ExitHistory, { loadFailure }: ExitSummary): ExitHistory['duringLoad'] {
  if (loadFailure === undefined) return undefined;
  const count = duringLoad?.reason === loadFailure ? duringLoad.count + 1 : 1;
  return { reason: loadFailure, count };
}

function delayAfter({ loadFailure }: ExitSummary, restartsInARow: number, policy: RestartPolicy): number {
  if (policy.atOnceAfterService && loadFailure === undefined) return 0;
  return Math.min(policy.delayMs * 2 ** restartsInARow, policy.longestDelayMs);
}
