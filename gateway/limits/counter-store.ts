/** Where a bucket stands. A bucket fills during a window, which begins with its first points, and is empty after it. */
export interface CounterResult {
  /** Whether the points were taken: all of them, or none. */
  readonly fits: boolean;
  /** What is taken in this window, these points included where they fit. */
  readonly used: number;
  /** Until the window is over, ms. */
  readonly resetMs: number;
  /** When that is, `performance.now()`: never later than it really is. */
  readonly windowEnds: number;
  /** Who counted it: what is changed later is changed there. */
  readonly store: RefundableStore;
}

export interface CounterStore {
  consume(bucket: string, points: number, limit: number): Promise<CounterResult>;
}

/** Keeps the buckets, each under its name. */
export interface RefundableStore extends CounterStore {
  /** Adds points whatever the limit, or gives some back (below 0), and never more than are taken. */
  adjust(bucket: string, points: number): Promise<void>;
}

/** Gives points back into the window that they were taken from; one that has ended has forgotten them. */
export async function refund(
  { store, windowEnds }: CounterResult,
  bucket: string,
  points: number,
): Promise<void> {
  if (points > 0 && performance.now() < windowEnds) await store.adjust(bucket, -points);
}
