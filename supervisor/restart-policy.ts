/** How a child that ends is brought back, and when that is no longer worth trying. */
export interface RestartPolicy {
  /** Waits before the first, second … restart in a row, in milliseconds; the last one repeats. */
  readonly backOff: readonly number[];
  /** This many ends within `windowMs` are given up on. */
  readonly mostEnds: number;
  readonly windowMs: number;
  /** A child that has run this long is taken for well: the waits begin anew. */
  readonly quietMs: number;
}

export const enginePolicy: RestartPolicy = {
  backOff: [1000, 2000, 4000, 8000, 16_000, 30_000],
  mostEnds: 5,
  windowMs: 300_000,
  quietMs: 120_000,
};

/** The gateway is up again in a fraction of a second and clients are waiting: the first restart comes at once. */
export const gatewayPolicy: RestartPolicy = { ...enginePolicy, backOff: [0, ...enginePolicy.backOff] };

export interface EndHistory {
  /** When the child ended, in milliseconds, those inside the window only. */
  readonly ends: readonly number[];
  /** Ends since it last ran quietly. */
  readonly inARow: number;
}

export const noEnds: EndHistory = { ends: [], inARow: 0 };

export type Verdict =
  | { readonly action: 'restart'; readonly delayMs: number; readonly history: EndHistory }
  | { readonly action: 'give-up'; readonly history: EndHistory };

/** What to do about a child that has ended after `ranForMs`. */
export function afterEnd(
  policy: RestartPolicy,
  history: EndHistory,
  { ranForMs, now }: { readonly ranForMs: number; readonly now: number },
): Verdict {
  const ends = [...history.ends.filter((end) => now - end < policy.windowMs), now];
  const before = ranForMs >= policy.quietMs ? 0 : history.inARow;
  const next = { ends, inARow: before + 1 };
  if (ends.length >= policy.mostEnds) return { action: 'give-up', history: next };
  const delayMs = policy.backOff[Math.min(before, policy.backOff.length - 1)] ?? 0;
  return { action: 'restart', delayMs, history: next };
}
