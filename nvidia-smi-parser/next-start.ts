/** How one run of nvidia-smi went. */
export interface Run {
  readonly ranForMs: number;
  /** It gave figures. */
  readonly wasOfUse: boolean;
  /** It refused the query, and the next run asks another. */
  readonly asksAnew: boolean;
}

const firstDelayMs = 1000;
const longestDelayMs = 60_000;
/** A run of use that lasted this long was no failure to start. */
const settledMs = 60_000;

export interface NextStart {
  readonly delayMs: number;
  /** Runs since the last that settled. */
  readonly failures: number;
}

/** When nvidia-smi is started again after it has ended: at once to ask anew, else after 1, 2, 4 … 60 s. */
export function nextStart({ ranForMs, wasOfUse, asksAnew }: Run, failures: number): NextStart {
  if (asksAnew) return { delayMs: 0, failures };
  const before = wasOfUse && ranForMs >= settledMs ? 0 : failures;
  return {
    delayMs: Math.min(firstDelayMs * 2 ** Math.min(before, 10), longestDelayMs),
    failures: before + 1,
  };
}
