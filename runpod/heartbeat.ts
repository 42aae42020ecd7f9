import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueClient } from './queue-client.ts';

export interface HeartbeatOptions {
  readonly queue: Pick<QueueClient, 'ping'>;
  readonly intervalMs: number;
  readonly jobIds: () => readonly string[];
  readonly signal: AbortSignal;
  /** Told of the first failure in a row. */
  readonly onTrouble: (why: string) => void;
}

/** Tells RunPod again and again that this worker lives, and what it is at; a worker that falls silent loses its jobs. */
export async function sendHeartbeats({
  queue,
  intervalMs,
  jobIds,
  signal,
  onTrouble,
}: HeartbeatOptions): Promise<void> {
  let isWell = true;
  while (!signal.aborted) {
    const trouble = await queue.ping(jobIds(), 2 * intervalMs, signal);
    if (trouble !== undefined && isWell && !signal.aborted) onTrouble(trouble);
    isWell = trouble === undefined;
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
}
