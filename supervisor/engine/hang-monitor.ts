import type { Backend } from '../../health/backend.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Child } from '../process/child.ts';
import { readEngineActivity } from './engine-activity.ts';
import { type HangLimits, initialProgress, isHung, nextProgress } from './progress.ts';

export interface HangMonitorOptions {
  readonly backend: Backend;
  readonly hangTimeoutMs: number;
  readonly loadTimeoutMs: number;
  /** Whether llama-server may put its model to sleep. */
  readonly maySleep: boolean;
  /** Whether an earlier process has served in its place. */
  readonly isRestart: boolean;
  /** Whether it has been ready, possibly before the first check. */
  readonly wasReady: () => boolean;
  /** Called once: it makes no progress any more. */
  readonly onHung: () => void;
}

const maxIntervalMs = 10_000;

/** Checks the progress of one llama-server periodically, until it is disposed or the engine has hung. */
export function monitorProgress({
  backend,
  isRestart,
  wasReady,
  onHung,
  ...timeouts
}: HangMonitorOptions): Disposable {
  const intervalMs = Math.floor(Math.min(timeouts.hangTimeoutMs / 10, maxIntervalMs));
  // A check sends two requests in turn, and each may take one interval.
  const limits: HangLimits = { ...timeouts, maxStepMs: 3 * intervalMs };
  let progress = initialProgress(performance.now(), isRestart);
  let isClosed = false;
  let timer = schedule();

  function schedule(): NodeJS.Timeout {
    return setTimeout(() => check().catch(recordUnhandledError), intervalMs);
  }

  async function check(): Promise<void> {
    const activity = await readEngineActivity(backend, intervalMs, progress.done);
    if (isClosed) return;
    const ready = wasReady();
    progress = nextProgress(
      { ...progress, wasUp: progress.wasUp || ready, hasResponded: progress.hasResponded || ready },
      activity,
      performance.now(),
      limits,
    );
    if (isHung(progress, limits)) onHung();
    else timer = schedule();
  }

  return {
    [Symbol.dispose]() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** How long llama-server may take to write its backtrace. */
const backtraceTimeoutMs = 5000;

/**
 * Aborts a hung llama-server with SIGABRT, whose backtrace in its last lines shows where it hangs. A process that is
 * stopped, or stuck in a driver, ignores SIGABRT and is killed.
 */
export async function abortHungEngine(child: Child): Promise<void> {
  const killTimer = setTimeout(() => child.kill(), backtraceTimeoutMs);
  child.signal('SIGABRT');
  await child.exited;
  clearTimeout(killTimer);
}
