/** How one run of nvidia-smi went. */
export interface Run {
  /** For how long figures are shown. */
  readonly freshForMs: number;
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

/**
 * When nvidia-smi is started again after it has ended: at once to ask anew, else after 1, 2, 4 … 60 s. One that gave figures
 * is followed before they are old, however often it ends: of several GPUs one that is lost may end each run.
 */
export function nextStart({ ranForMs, wasOfUse, asksAnew, freshForMs }: Run, failures: number): NextStart {
  if (asksAnew) return { delayMs: 0, failures };
  const before = wasOfUse && ranForMs >= settledMs ? 0 : failures;
  const longestMs = wasOfUse ? Math.min(freshForMs / 4, longestDelayMs) : longestDelayMs;
  return {
    delayMs: Math.min(firstDelayMs * 2 ** Math.min(before, 10), longestMs),
    failures: before + 1,
  };
}
