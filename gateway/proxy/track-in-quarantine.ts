import type { Quarantine, TrackedRequest } from '../scheduler/quarantine.ts';
import type { EventObserver } from '../upstream/event-stream-relay.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';

export interface Sent {
  /** It is served, not only counted. */
  readonly takesSlot: boolean;
  /** How many tokens of its answer are kept. */
  readonly progress: () => number;
}

/** Sends a body, and notes how that went for the engine. */
export async function trackInQuarantine(
  suspects: Quarantine,
  work: TrackedRequest,
  send: () => Promise<ExchangeResult>,
  sent: Sent,
): Promise<ExchangeResult> {
  try {
    const ending = await send();
    await note(suspects, work, ending, sent);
    return ending;
  } catch (error) {
    suspects.abandoned(work);
    throw error;
  }
}

/** The same listener, which also tells when a suspect has said a word; all others are listened to as before. */
export function reportTokens(
  suspects: Quarantine,
  work: TrackedRequest,
  listen: EventObserver,
): EventObserver {
  if (work.releaseTurn === undefined) return listen;
  return (events) => {
    const tokens = listen(events);
    if (tokens > 0) suspects.onTokens(work);
    return tokens;
  };
}

async function note(
  suspects: Quarantine,
  work: TrackedRequest,
  ending: ExchangeResult,
  sent: Sent,
): Promise<void> {
  const { takesSlot, progress } = sent;
  // While it loads it has read nothing.
  if (ending.outcome === 'declined' && ending.error.status === 503) work.releaseTurn?.();
  else if (ending.outcome !== 'failed') takesSlot ? suspects.completed(work) : suspects.counted(work);
  else if (ending.failure.kind === 'unreachable') work.releaseTurn?.();
  else if (ending.failure.kind === 'broke-off') await suspects.connectionLost(work, progress());
  else suspects.abandoned(work);
}
