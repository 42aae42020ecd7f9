import type { Backend } from '../../health/backend.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { readEngineActivity } from './engine-activity.ts';
import { type HangLimits, initialProgress, isHung, nextProgress } from './progress.ts';

export interface HangMonitorOptions {
  readonly backend: Backend;
  readonly hangTimeoutMs: number;
  readonly loadTimeoutMs: number;
  /** Whether llama-server may put its model to sleep. */
  readonly maySleep: boolean;
  /** Whether an earlier one has served in its place. */
  readonly startedAgain: boolean;
  /** Whether it has been seen ready, which may have been before the first look. */
  readonly wasReady: () => boolean;
  /** Once: it makes no progress any more. */
  readonly onHung: () => void;
}

const longestIntervalMs = 10_000;

/** Looks at one llama-server from time to time until it is closed or the engine is found hung. */
export function monitorProgress({
  backend,
  startedAgain,
  wasReady,
  onHung,
  ...limits
}: HangMonitorOptions): Disposable {
  const intervalMs = Math.floor(Math.min(limits.hangTimeoutMs / 10, longestIntervalMs));
  // A look asks two things in turn and may wait for each as long as for the next look.
  const patience: HangLimits = { ...limits, longestStepMs: 3 * intervalMs };
  let progress = initialProgress(performance.now(), startedAgain);
  let closed = false;
  let timer = later();

  function later(): NodeJS.Timeout {
    return setTimeout(() => look().catch(recordUnhandledError), intervalMs);
  }

  async function look(): Promise<void> {
    const sight = await readEngineActivity(backend, intervalMs, progress.done);
    if (closed) return;
    const ready = wasReady();
    progress = nextProgress(
      { ...progress, wasUp: progress.wasUp || ready, hasAnswered: progress.hasAnswered || ready },
      sight,
      performance.now(),
      patience,
    );
    if (isHung(progress, patience)) onHung();
    else timer = later();
  }

  return {
    [Symbol.dispose]() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
