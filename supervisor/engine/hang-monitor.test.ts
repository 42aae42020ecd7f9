import { describe, expect, it } from 'vitest';
import type { EngineActivity } from './engine-activity.ts';
import { type HangLimits, initialProgress, isHung, nextProgress, startupGraceMs } from './hang-monitor.ts';

const limits: HangLimits = {
  hangTimeoutMs: 120_000,
  loadTimeoutMs: 1_800_000,
  maySleep: false,
  maxStepMs: 30_000,
};
const busy = (done: number): EngineActivity => ({ state: 'counted', busySlots: 1, done, isExact: true });
const idle: EngineActivity = { state: 'counted', busySlots: 0, done: 7, isExact: true };
const loading: EngineActivity = { state: 'loading' };
const alive: EngineActivity = { state: 'alive' };
const unsupported: EngineActivity = { state: 'unsupported' };
const silent: EngineActivity = { state: 'silent' };
const unreachable: EngineActivity = { state: 'unreachable' };
const times = (count: number, activity: EngineActivity) => Array.from({ length: count }, () => activity);

/** Whether it counts as hung at any of the checks, ten seconds apart. */
function isFoundHung(checks: readonly EngineActivity[], changes: Partial<HangLimits> = {}, apartMs = 10_000) {
  let now = 1000;
  let progress = initialProgress(now);
  for (const activity of checks) {
    now += apartMs;
    progress = nextProgress(progress, activity, now, { ...limits, ...changes });
    if (isHung(progress, { ...limits, ...changes })) return true;
  }
  return false;
}

describe('a llama-server counts as hung', () => {
  it('when it is busy without progress for HANG_TIMEOUT', () => {
    expect(isFoundHung(times(13, busy(7)))).toBe(true);
    expect(isFoundHung(times(12, busy(7)))).toBe(false);
  });

  it('when it has stopped responding, its queue or all of it', () => {
    expect(isFoundHung([idle, ...times(12, alive)])).toBe(true);
    expect(isFoundHung([busy(7), ...times(12, unreachable)])).toBe(true);
    expect(isFoundHung([loading, ...times(12, unreachable)])).toBe(true);
  });

  it('when it was restarted and never responds', () => {
    let progress = initialProgress(0, true);
    for (let check = 1; check <= 12; check++)
      progress = nextProgress(progress, unreachable, check * 10_000, limits);
    expect(isHung(progress, limits)).toBe(true);
  });

  it('when it was ready before the first check, and has not responded since', () => {
    let progress = { ...initialProgress(0), wasUp: true, isListening: true };
    for (let check = 1; check <= 12; check++)
      progress = nextProgress(progress, unreachable, check * 10_000, limits);
    expect(isHung(progress, limits)).toBe(true);
  });

  it('when it was restarted, listens and does not respond, before any check has seen a response', () => {
    const short = { ...limits, hangTimeoutMs: 1000, maxStepMs: 300 };
    let progress = initialProgress(0, true);
    for (let check = 1; check < 10; check++) progress = nextProgress(progress, silent, check * 100, short);
    expect(isHung(progress, short)).toBe(false);
    expect(isHung(nextProgress(progress, silent, 1000, short), short)).toBe(true);
  });

  it('when it was busy and makes no progress, whether it may sleep or not', () => {
    expect(isFoundHung([busy(7), ...times(12, alive)], { maySleep: true })).toBe(true);
  });
});

describe('a llama-server does not count as hung', () => {
  it.each<[string, EngineActivity[]]>([
    ['while it is slow but each check shows progress', Array.from({ length: 500 }, (_, done) => busy(done))],
    [
      'while it makes progress from time to time',
      Array.from({ length: 500 }, (_, check) => busy(Math.floor(check / 11))),
    ],
    ['while it is idle', times(500, idle)],
    ['while its model loads', times(500, loading)],
    ['before its first response', times(500, unreachable)],
    ['during its first load, which LOAD_TIMEOUT limits', times(500, silent)],
    ['when it has no counters', times(500, unsupported)],
  ])('%s', (_, checks) => {
    expect(isFoundHung(checks)).toBe(false);
  });

  it('while it restarts on a slow machine, however short HANG_TIMEOUT is', () => {
    const short = { ...limits, hangTimeoutMs: 1000, maxStepMs: 300 };
    let progress = initialProgress(0, true);
    for (let check = 1; check * 100 < startupGraceMs; check++)
      progress = nextProgress(progress, unreachable, check * 100, short);
    expect(isHung(progress, short)).toBe(false);
    expect(isHung(nextProgress(progress, unreachable, startupGraceMs, short), short)).toBe(true);
    let responded = nextProgress(progress, loading, startupGraceMs, short);
    for (let check = 1; check <= 10; check++)
      responded = nextProgress(responded, unreachable, startupGraceMs + check * 100, short);
    expect(isHung(responded, short)).toBe(true);
  });

  it('while it may be waking up, for as long as a load may take', () => {
    expect(isFoundHung([idle, ...times(100, alive)], { maySleep: true })).toBe(false);
    expect(isFoundHung([idle, ...times(180, alive)], { maySleep: true })).toBe(true);
  });

  it('when an hour passed between two checks', () => {
    expect(isFoundHung([busy(7), busy(7), busy(7)], {}, 3_600_000)).toBe(false);
    expect(isFoundHung([busy(7), alive, unreachable, busy(8), ...times(3, busy(8))], {}, 3_600_000)).toBe(
      false,
    );
  });
});

/** As `/metrics` prints it: six digits. */
const printed = (count: number) => Number(count.toPrecision(6));

/** Checks of an engine that has computed `initial` batches and computes `perCheck` between two checks, with or without its slots. */
function rounded(initial: number, perCheck: number, slots: (batches: number) => string | undefined) {
  let last: number | undefined;
  return Array.from({ length: 100 }, (_, check): EngineActivity => {
    const batches = Math.floor(check * perCheck);
    const done = printed(initial + batches);
    const isStill = done === last;
    last = done;
    const isExact = initial < 1_000_000;
    return { state: 'counted', busySlots: 1, done, isExact, ...(isStill && { slots: slots(batches) }) };
  });
}

describe.each([1e6, 1e7, 2e7, 1e8, 2e8, 1e9])(
  'after %d batches, of which six digits are printed',
  (initial) => {
    it.each([0.3, 1, 3, 7, 25])('one that computes %d batches between two checks is not hung', (perCheck) => {
      expect(isFoundHung(rounded(initial, perCheck, (batches) => `[[1,${batches},0]]`))).toBe(false);
    });

    it('one without progress counts as hung by its slots', () => {
      expect(isFoundHung(rounded(initial, 0, () => '[[1,7,0]]'))).toBe(true);
    });

    it('one that does not show its slots, but whose queue responds, is not hung', () => {
      expect(isFoundHung(rounded(initial, 3, () => 'unsupported'))).toBe(false);
      expect(isFoundHung(rounded(initial, 0, () => 'unsupported'))).toBe(false);
    });

    it('one whose queue does not respond counts as hung, whatever its counters are', () => {
      const before = rounded(initial, 3, () => 'unsupported').slice(0, 5);
      expect(isFoundHung([...before, ...times(12, alive)])).toBe(true);
    });
  },
);

it('below a million batches the counters suffice', () => {
  expect(isFoundHung(rounded(999_000, 0, () => 'unsupported'))).toBe(true);
  expect(isFoundHung(rounded(999_000, 1, () => 'unsupported'))).toBe(false);
});

it('an engine whose slots could not be read can still count as hung', () => {
  expect(isFoundHung(rounded(2e7, 0, () => undefined))).toBe(true);
});
