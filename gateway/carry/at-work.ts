import type { Suspects, Work } from '../suspects/suspects.ts';
import type { Listener } from '../upstream/event-stream-relay.ts';
import type { Ending } from '../upstream/exchange.ts';

export interface Sent {
  /** It is served, not only counted. */
  readonly takesSlot: boolean;
  /** How many tokens of its answer are kept. */
  readonly progress: () => number;
}

/** Sends a body, and notes how that went for the engine. */
export async function atWork(
  suspects: Suspects,
  work: Work,
  send: () => Promise<Ending>,
  sent: Sent,
): Promise<Ending> {
  try {
    const ending = await send();
    await note(suspects, work, ending, sent);
    return ending;
  } catch (error) {
    suspects.left(work);
    throw error;
  }
}

/** The same listener, which also tells when a suspect has said a word; all others are listened to as before. */
export function overhear(suspects: Suspects, work: Work, listen: Listener): Listener {
  if (work.giveBack === undefined) return listen;
  return (events) => {
    const tokens = listen(events);
    if (tokens > 0) suspects.heard(work);
    return tokens;
  };
}

async function note(suspects: Suspects, work: Work, ending: Ending, sent: Sent): Promise<void> {
  const { takesSlot, progress } = sent;
  // While it loads it has read nothing.
  if (ending.outcome === 'declined' && ending.error.status === 503) work.giveBack?.();
  else if (ending.outcome !== 'failed') takesSlot ? suspects.survived(work) : suspects.counted(work);
  else if (ending.failure.kind === 'unreachable') work.giveBack?.();
  else if (ending.failure.kind === 'broke-off') await suspects.brokeOff(work, progress());
  else suspects.left(work);
}
