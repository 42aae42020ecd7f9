import type { EngineActivity, EngineCounters } from './engine-activity.ts';

/** What is known of a llama-server's progress since it was started. */
export interface Progress {
  /** For how long it has made none although it should have. */
  readonly stuckMs: number;
  /** The count of its work when that was last seen; undefined before. */
  readonly done: number | undefined;
  /** How far its slots were when that was last seen. */
  readonly slots: string | undefined;
  readonly busy: boolean;
  /** It has answered before, or an earlier one has in its place. */
  readonly wasUp: boolean;
  /** It has answered itself since it was started. */
  readonly hasAnswered: boolean;
  /** When the last look was over. */
  readonly lookedAt: number;
}

export interface HangLimits {
  readonly hangTimeoutMs: number;
  /** What a model may take to load again after a sleep. */
  readonly loadTimeoutMs: number;
  readonly maySleep: boolean;
  /**
   * The most that one look may add to the time without progress. Whoever is stopped together with the engine (a paused
   * container, a virtual machine that is resumed) finds an hour gone and must not take it for a silent one.
   */
  readonly longestStepMs: number;
}

/** Of one that is started again it is known that it can answer: what it is silent from its start on counts, too. */
export function initialProgress(now: number, startedAgain = false): Progress {
  const none = { done: undefined, slots: undefined, busy: false, hasAnswered: false };
  return { ...none, stuckMs: 0, wasUp: startedAgain, lookedAt: now };
}

/** What is known after one more look, at `now` of a clock that never runs backwards. */
export function nextProgress(
  progress: Progress,
  sight: EngineActivity,
  now: number,
  { longestStepMs }: HangLimits,
): Progress {
  const stuck = isStuck(progress, sight);
  return {
    stuckMs: stuck ? progress.stuckMs + Math.min(now - progress.lookedAt, longestStepMs) : 0,
    done: sight.seen === 'work' ? sight.done : progress.done,
    slots: (sight.seen === 'work' ? sight.slots : undefined) ?? progress.slots,
    busy: sight.seen === 'work' ? sight.busySlots > 0 : progress.busy,
    wasUp: progress.wasUp || sight.seen !== 'nothing',
    hasAnswered: progress.hasAnswered || sight.seen !== 'nothing',
    lookedAt: now,
  };
}

function isStuck(progress: Progress, sight: EngineActivity): boolean {
  switch (sight.seen) {
    case 'work':
      return sight.busySlots > 0 && sight.done === progress.done && slotsStandStill(progress, sight);
    case 'alive':
      return true;
    case 'nothing':
      return progress.wasUp;
    default:
      // LOAD_TIMEOUT watches over the load, and one that does not count can only be taken at its word.
      return false;
  }
}

/** Where neither a rounded count nor the slots can tell, an engine that still answers for its queue is no hung one. */
function slotsStandStill(progress: Progress, { slots, isExact }: EngineCounters): boolean {
  return slots === 'untold' ? isExact : slots === undefined || slots === progress.slots;
}

/**
 * The time that a restarted llama-server has for its first response, ms: a busy machine needs more than a short
 * HANG_TIMEOUT allows for the start of a process.
 */
export const startupGraceMs = 60_000;

/** An engine that was idle before it stopped responding may be waking up, where sleep is on: it has the time of a load. */
export function isHung(
  { stuckMs, busy, hasAnswered }: Progress,
  { hangTimeoutMs, loadTimeoutMs, maySleep }: HangLimits,
): boolean {
  const limitMs = hasAnswered ? hangTimeoutMs : Math.max(hangTimeoutMs, startupGraceMs);
  return stuckMs >= (maySleep && !busy ? Math.max(limitMs, loadTimeoutMs) : limitMs);
}
