/** What is known of a stream on its way into the queue. */
export interface StreamProgress {
  /** Characters that wait. */
  readonly waiting: number;
  /** Since the last piece was posted, ms; infinite before the first. */
  readonly sinceLastMs: number;
  /** Nothing will be added. */
  readonly hasEnded: boolean;
}

export interface StreamPace {
  readonly intervalMs: number;
  /** A piece of so many characters waits no longer, and none is larger unless one event is. */
  readonly mostChars: number;
}

/** How long to go on gathering before the next piece is posted, ms: each costs a round trip, and they go in turn. */
export function nextPostDelay({ waiting, sinceLastMs, hasEnded }: StreamProgress, pace: StreamPace): number {
  if (hasEnded || waiting >= pace.mostChars) return 0;
  return Math.max(0, pace.intervalMs - sinceLastMs);
}
