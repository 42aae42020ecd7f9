import { setTimeout as sleep } from 'node:timers/promises';
import type { PostResult } from './queue-client.ts';

/** A refusal may be a mistake of the moment; more than this many in a row are not. */
const mostRefusals = 3;

export interface RetryOptions {
  /** The wait after so many failures in a row, ms. */
  readonly pauseAfter: (failures: number) => number;
  readonly signal: AbortSignal;
  /** Told once, when the first try has failed. */
  readonly onTrouble: (why: string) => void;
}

export type RetryResult =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'given-up' }
  | { readonly outcome: 'refused'; readonly why: string };

/** Tries until the queue has taken it: what a job has made is paid for. Only a refusal or the signal ends it. */
export async function postWithRetry(
  attempt: () => Promise<PostResult>,
  { pauseAfter, signal, onTrouble }: RetryOptions,
): Promise<RetryResult> {
  let refusals = 0;
  for (let failures = 1; ; failures++) {
    const posted = await attempt();
    if (posted.outcome === 'accepted') return { outcome: 'accepted' };
    if (signal.aborted) return { outcome: 'given-up' };
    if (failures === 1) onTrouble(posted.why);
    refusals = posted.outcome === 'refused' ? refusals + 1 : 0;
    if (refusals === mostRefusals) return { outcome: 'refused', why: posted.why };
    await sleep(pauseAfter(failures), undefined, { signal }).catch(() => {});
  }
}
