/** How long a client may wait without a sign of life, ms. */
export interface KeepAliveTimes {
  /** Until the head of the answer goes out, whatever the status might still become. */
  readonly headersAfter: number;
  /** Between two signs, once the head is out; 0 turns them off. */
  readonly interval: number;
}

/** What a client has heard so far; times as `performance.now()` tells them. */
export interface ClientProgress {
  readonly startedAt: number;
  readonly headersSent: boolean;
  /** When something last went out. */
  readonly lastWriteAt: number;
}

export interface KeepAliveStep {
  /** Unless signs are off a head goes out with a first one behind it, as some proxies wait for a byte of the body. */
  readonly send: 'nothing' | 'head' | 'sign';
  /** When to look again, ms from now; undefined where nothing will ever be due. */
  readonly checkAgainIn: number | undefined;
}

/** What is due now. Looked at rarely, not whenever something goes out: a stream that flows costs nothing. */
export function nextKeepAlive(
  { headersAfter, interval }: KeepAliveTimes,
  { startedAt, headersSent, lastWriteAt }: ClientProgress,
  now: number,
): KeepAliveStep {
  const signAgainIn = interval > 0 ? interval : undefined;
  if (!headersSent) {
    const headIn = startedAt + headersAfter - now;
    if (headIn <= 0) return { send: 'head', checkAgainIn: signAgainIn };
    // The backend may send the head long before that, and fall silent.
    return { send: 'nothing', checkAgainIn: Math.min(headIn, signAgainIn ?? headIn) };
  }
  if (signAgainIn === undefined) return { send: 'nothing', checkAgainIn: undefined };
  const signIn = lastWriteAt + interval - now;
  return signIn <= 0
    ? { send: 'sign', checkAgainIn: signAgainIn }
    : { send: 'nothing', checkAgainIn: signIn };
}
