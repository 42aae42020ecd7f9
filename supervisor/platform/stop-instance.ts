import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log/create-log.ts';
import type { StopCall } from './stop-call.ts';

export interface RetryOptions {
  /** Milliseconds before each further attempt. */
  readonly delaysMs: readonly number[];
  readonly timeoutMs: number;
}

const defaultRetries: RetryOptions = { delaysMs: [1000, 3000, 10_000], timeoutMs: 10_000 };

/** Asks the platform to stop this machine. A failure is only logged. */
export async function stopInstance(
  { platform, url, init }: StopCall,
  log: Log,
  { delaysMs, timeoutMs }: RetryOptions = defaultRetries,
): Promise<void> {
  for (const delayMs of [...delaysMs, undefined]) {
    const outcome = await attempt(url, init, timeoutMs);
    if (outcome === 'stopped') return log.info(`${platform} accepted the request to stop this instance`);
    log.warn(`${platform} did not stop this instance: ${outcome.reason}`);
    if (outcome.isFinal || delayMs === undefined) break;
    await sleep(delayMs);
  }
  log.error(`this instance may keep running up costs: stop it by hand in the ${platform} console`);
}

interface Failure {
  /** Without the response body, which may hold secrets. */
  readonly reason: string;
  /** Another attempt would not help. */
  readonly isFinal: boolean;
}

async function attempt(url: string, init: StopCall['init'], timeoutMs: number): Promise<'stopped' | Failure> {
  try {
    // Redirects are not followed: the key goes to the platform only.
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    if (response.ok) return 'stopped';
    const { status } = response;
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return { reason: `status ${status}`, isFinal };
  } catch (error) {
    const { cause = error } = error as Error;
    return { reason: (cause as NodeJS.ErrnoException).code ?? (cause as Error).message, isFinal: false };
  }
}
