export interface PaceLimits {
  /** The longest silence between two pieces, ms. */
  readonly idleTimeout: number;
  /** Bytes per second that have to come in each such span; 0 is no limit. */
  readonly minRate: number;
}

/**
 * Calls `onTooSlow` where the pieces of a body come too slowly. Judged anew in each span of the allowed silence: bytes
 * that were sent at once buy no hours for those behind them.
 */
export function monitorPace({ idleTimeout, minRate }: PaceLimits, onTooSlow: () => void) {
  const needed = Math.max((minRate * idleTimeout) / 1000, 1);
  let inSpan = 0;
  const silence = setTimeout(onTooSlow, idleTimeout);
  const spans = setInterval(() => {
    if (minRate > 0 && inSpan < needed) onTooSlow();
    inSpan = 0;
  }, idleTimeout);
  return {
    came(bytes: number): void {
      silence.refresh();
      inSpan += bytes;
    },
    stop(): void {
      clearTimeout(silence);
      clearInterval(spans);
    },
  };
}
