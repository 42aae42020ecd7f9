/** How one run of nvidia-smi went. */
export interface SmiRunResult {
  /** For how long figures are shown. */
  readonly freshForMs: number;
  readonly ranForMs: number;
  /** It gave figures. */
  readonly producedSamples: boolean;
  /** It refused the query, and the next run asks another. */
  readonly queryChanged: boolean;
}

const firstDelayMs = 1000;
const longestDelayMs = 60_000;
/** A run of use that lasted this long was no failure to start. */
const settledMs = 60_000;

export interface Restart {
  readonly delayMs: number;
  /** Runs since the last that settled. */
  readonly failures: number;
}

/**
 * When nvidia-smi is started again after it has ended: at once to ask anew, else after 1, 2, 4 … 60 s. One that gave figures
 * is followed before they are old, however often it ends: of several GPUs one that is lost may end each run.
 */
export function nextRestart(
  { ranForMs, producedSamples, queryChanged, freshForMs }: SmiRunResult,
  failures: number,
): Restart {
  if (queryChanged) return { delayMs: 0, failures };
  const before = producedSamples && ranForMs >= settledMs ? 0 : failures;
  const longestMs = producedSamples ? Math.min(freshForMs / 4, longestDelayMs) : longestDelayMs;
  return {
    delayMs: Math.min(firstDelayMs * 2 ** Math.min(before, 10), longestMs),
    failures: before + 1,
  };
}
