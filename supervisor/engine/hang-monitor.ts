import type { Backend } from '../../health/backend.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Child } from '../process/child.ts';
import { type EngineActivity, type EngineCounters, readEngineActivity } from './engine-activity.ts';

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
  /** Called with each reading of its counters. */
  readonly onCounted?: (counters: EngineCounters) => void;
  /** Called once: it makes no progress any more. */
  readonly onHung: () => void;
}

const maxIntervalMs = 10_000;

/** Checks the progress of one llama-server periodically, until it is disposed or the engine has hung. */
export function monitorProgress({
  backend,
  isRestart,
  wasReady,
  onCounted,
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
    if (activity.state === 'counted') onCounted?.(activity);
    const ready = wasReady();
    progress = nextProgress(
      { ...progress, wasUp: progress.wasUp || ready, isListening: progress.isListening || ready },
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

/** What is known of the progress of a llama-server since its start. */
export interface Progress {
  /** For how long it has made no progress although it had work. */
  readonly stuckMs: number;
  /** Its last counter of work; undefined before the first. */
  readonly done: number | undefined;
  /** The last progress of its slots. */
  readonly slots: string | undefined;
  readonly busy: boolean;
  /** It has responded before, or an earlier process has in its place. */
  readonly wasUp: boolean;
  /**
   * It has accepted a connection since its start. From then on it responds, also while it loads: silence is a hang, even if
   * no check has seen a response. The gateway may have seen it ready earlier, and sent it the request that it hangs on.
   */
  readonly isListening: boolean;
  /** When the last check ended. */
  readonly checkedAt: number;
}

export interface HangLimits {
  readonly hangTimeoutMs: number;
  /** How long a model may take to load again after a sleep. */
  readonly loadTimeoutMs: number;
  readonly maySleep: boolean;
  /**
   * The most that one check may add to the time without progress. If we were suspended together with the engine (a paused
   * container, a resumed virtual machine), an hour may have passed in which nothing could respond.
   */
  readonly maxStepMs: number;
}

/** A restarted llama-server is known to work, so silence counts from its start. */
export function initialProgress(now: number, isRestart = false): Progress {
  const none = { done: undefined, slots: undefined, busy: false, isListening: false };
  return { ...none, stuckMs: 0, wasUp: isRestart, checkedAt: now };
}

/** The progress after one more check, at `now` of a monotonic clock. */
export function nextProgress(
  progress: Progress,
  activity: EngineActivity,
  now: number,
  { maxStepMs }: HangLimits,
): Progress {
  const counters = activity.state === 'counted' ? activity : undefined;
  const isListening = activity.state !== 'unreachable';
  return {
    stuckMs: isStuck(progress, activity)
      ? progress.stuckMs + Math.min(now - progress.checkedAt, maxStepMs)
      : 0,
    done: counters ? counters.done : progress.done,
    slots: counters?.slots ?? progress.slots,
    busy: counters ? counters.busySlots > 0 : progress.busy,
    wasUp: progress.wasUp || (isListening && activity.state !== 'silent'),
    isListening: progress.isListening || isListening,
    checkedAt: now,
  };
}

function isStuck(progress: Progress, activity: EngineActivity): boolean {
  switch (activity.state) {
    case 'counted':
      return activity.busySlots > 0 && activity.done === progress.done && areSlotsStuck(progress, activity);
    case 'alive':
      return true;
    case 'silent':
    case 'unreachable':
      return progress.wasUp;
    default:
      // LOAD_TIMEOUT limits the load. Without counters, a hang cannot be detected.
      return false;
  }
}

/** If the counter is rounded and the slots are unknown, an engine whose queue still responds does not count as hung. */
function areSlotsStuck(progress: Progress, { slots, isExact }: EngineCounters): boolean {
  return slots === 'unsupported' ? isExact : slots === undefined || slots === progress.slots;
}

/**
 * The time that a restarted llama-server has until it listens, ms: a busy machine needs more than a short HANG_TIMEOUT
 * allows for the start of a process.
 */
export const startupGraceMs = 60_000;

/** An engine that was idle before it stopped responding may be waking up, if sleep is on: it has the time of a load. */
export function isHung(
  { stuckMs, busy, isListening }: Progress,
  { hangTimeoutMs, loadTimeoutMs, maySleep }: HangLimits,
): boolean {
  const limitMs = isListening ? hangTimeoutMs : Math.max(hangTimeoutMs, startupGraceMs);
  return stuckMs >= (maySleep && !busy ? Math.max(limitMs, loadTimeoutMs) : limitMs);
}
