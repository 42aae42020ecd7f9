/** How long a client may wait without a sign of life, ms. */
export interface Pace {
  /** Until the head of the answer goes out, whatever the status might still become. */
  readonly headAfter: number;
  /** Between two signs, once the head is out; 0 turns them off. */
  readonly every: number;
}

/** What a client has heard so far; times as `performance.now()` tells them. */
export interface Heard {
  readonly startedAt: number;
  readonly hasHead: boolean;
  /** When something last went out. */
  readonly lastAt: number;
}

export interface Beat {
  /** Unless signs are off a head goes out with a first one behind it, as some proxies wait for a byte of the body. */
  readonly say: 'nothing' | 'head' | 'sign';
  /** When to look again, ms from now; undefined where nothing will ever be due. */
  readonly lookAgainIn: number | undefined;
}

/** What is due now. Looked at rarely, not whenever something goes out: a stream that flows costs nothing. */
export function nextBeat(
  { headAfter, every }: Pace,
  { startedAt, hasHead, lastAt }: Heard,
  now: number,
): Beat {
  const signAgainIn = every > 0 ? every : undefined;
  if (!hasHead) {
    const headIn = startedAt + headAfter - now;
    if (headIn <= 0) return { say: 'head', lookAgainIn: signAgainIn };
    // The backend may send the head long before that, and fall silent.
    return { say: 'nothing', lookAgainIn: Math.min(headIn, signAgainIn ?? headIn) };
  }
  if (signAgainIn === undefined) return { say: 'nothing', lookAgainIn: undefined };
  const signIn = lastAt + every - now;
  return signIn <= 0 ? { say: 'sign', lookAgainIn: signAgainIn } : { say: 'nothing', lookAgainIn: signIn };
}
