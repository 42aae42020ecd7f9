import { setTimeout as sleep } from 'node:timers/promises';
import type { PostResult } from './queue-client.ts';

/** A rejection may be a momentary error; this many in a row are not. */
const maxRejections = 3;

export interface RetryOptions {
  /** The delay after this many failures in a row, ms. */
  readonly delayAfter: (failures: number) => number;
  readonly signal: AbortSignal;
  /** Called once, after the first failed attempt. */
  readonly onFirstFailure: (reason: string) => void;
}

export type RetryResult =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'given-up' }
  | { readonly outcome: 'rejected'; readonly reason: string };

/** Retries until the queue accepts, because the output of a job is paid for. Only rejections and the signal end it. */
export async function postWithRetry(
  attempt: () => Promise<PostResult>,
  { delayAfter, signal, onFirstFailure }: RetryOptions,
): Promise<RetryResult> {
  let rejections = 0;
  for (let failures = 1; ; failures++) {
    const result = await attempt();
    if (result.outcome === 'accepted') return { outcome: 'accepted' };
    if (signal.aborted) return { outcome: 'given-up' };
    if (failures === 1) onFirstFailure(result.reason);
    rejections = result.outcome === 'rejected' ? rejections + 1 : 0;
    if (rejections === maxRejections) return { outcome: 'rejected', reason: result.reason };
    await sleep(delayAfter(failures), undefined, { signal }).catch(() => {});
  }
}

/** The default delay after this many failures in a row, ms: 1, 2, 4 … 30 s. */
export function retryDelay(failures: number): number {
  return Math.min(1000 * 2 ** (failures - 1), 30_000);
}
