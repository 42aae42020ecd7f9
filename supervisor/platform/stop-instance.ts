import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log/create-log.ts';
import type { StopCall } from './stop-call.ts';

export interface RetryOptions {
  /** Milliseconds before each further try. */
  readonly pausesMs: readonly number[];
  readonly timeoutMs: number;
}

const patient: RetryOptions = { pausesMs: [1000, 3000, 10_000], timeoutMs: 10_000 };

/** Asks the platform to stop this machine; a failure is told in the log, and is nobody else's concern. */
export async function stopInstance(
  { platform, url, init }: StopCall,
  log: Log,
  { pausesMs, timeoutMs }: RetryOptions = patient,
): Promise<void> {
  for (const pauseMs of [...pausesMs, undefined]) {
    const outcome = await attempt(url, init, timeoutMs);
    if (outcome === 'stopped') return log.info(`${platform} was asked to stop this instance`);
    log.warn(`${platform} did not stop this instance: ${outcome.fault}`);
    if (outcome.isFinal || pauseMs === undefined) break;
    await sleep(pauseMs);
  }
  log.error(`this instance may go on costing money: stop it by hand in the console of ${platform}`);
}

interface Failure {
  /** Without the answer's words, which are not ours to log. */
  readonly fault: string;
  /** Asking again would not help. */
  readonly isFinal: boolean;
}

async function attempt(url: string, init: StopCall['init'], timeoutMs: number): Promise<'stopped' | Failure> {
  try {
    // A key is not carried to wherever an answer may point.
    const answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    if (answer.ok) return 'stopped';
    const { status } = answer;
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return { fault: `it answered ${status}`, isFinal };
  } catch (error) {
    const { cause = error } = error as Error;
    return { fault: (cause as NodeJS.ErrnoException).code ?? (cause as Error).message, isFinal: false };
  }
}
