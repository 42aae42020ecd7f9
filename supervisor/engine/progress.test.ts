import { describe, expect, it } from 'vitest';
import type { EngineActivity } from './engine-activity.ts';
import { type HangLimits, initialProgress, isHung, nextProgress, startupGraceMs } from './progress.ts';

const patience: HangLimits = {
  hangTimeoutMs: 120_000,
  loadTimeoutMs: 1_800_000,
  maySleep: false,
  longestStepMs: 30_000,
};
const busy = (done: number): EngineActivity => ({ seen: 'work', busySlots: 1, done, isExact: true });
const idle: EngineActivity = { seen: 'work', busySlots: 0, done: 7, isExact: true };
const loading: EngineActivity = { seen: 'loading' };
const alive: EngineActivity = { seen: 'alive' };
const blind: EngineActivity = { seen: 'blind' };
const nothing: EngineActivity = { seen: 'nothing' };
const times = (count: number, sight: EngineActivity) => Array.from({ length: count }, () => sight);

/** Whether it is found hung at any of the looks, ten seconds apart. */
function foundHung(sights: readonly EngineActivity[], changes: Partial<HangLimits> = {}, apartMs = 10_000) {
  let now = 1000;
  let progress = initialProgress(now);
  for (const sight of sights) {
    now += apartMs;
    progress = nextProgress(progress, sight, now, { ...patience, ...changes });
    if (isHung(progress, { ...patience, ...changes })) return true;
  }
  return false;
}

describe('a llama-server is found hung', () => {
  it('when it is busy and counts nothing for so long', () => {
    expect(foundHung(times(13, busy(7)))).toBe(true);
    expect(foundHung(times(12, busy(7)))).toBe(false);
  });

  it('when it has fallen silent, its queue or all of it', () => {
    expect(foundHung([idle, ...times(12, alive)])).toBe(true);
    expect(foundHung([busy(7), ...times(12, nothing)])).toBe(true);
    expect(foundHung([loading, ...times(12, nothing)])).toBe(true);
  });

  it('when it is started again and never says a word', () => {
    let progress = initialProgress(0, true);
    for (let look = 1; look <= 12; look++)
      progress = nextProgress(progress, nothing, look * 10_000, patience);
    expect(isHung(progress, patience)).toBe(true);
  });

  it('when it was ready before the first look, and has been silent since', () => {
    let progress = { ...initialProgress(0), wasUp: true, hasAnswered: true };
    for (let look = 1; look <= 12; look++)
      progress = nextProgress(progress, nothing, look * 10_000, patience);
    expect(isHung(progress, patience)).toBe(true);
  });

  it('when it was busy and stands still, sleep or not', () => {
    expect(foundHung([busy(7), ...times(12, alive)], { maySleep: true })).toBe(true);
  });
});

describe('a llama-server is left alone', () => {
  it.each<[string, EngineActivity[]]>([
    [
      'while it is slow, each look finding a little more done',
      Array.from({ length: 500 }, (_, done) => busy(done)),
    ],
    ['while it moves once in a while', Array.from({ length: 500 }, (_, look) => busy(Math.floor(look / 11)))],
    ['while nobody asks anything of it', times(500, idle)],
    ['while its model loads', times(500, loading)],
    ['before it has ever answered', times(500, nothing)],
    ['where it does not count', times(500, blind)],
  ])('%s', (_, sights) => {
    expect(foundHung(sights)).toBe(false);
  });

  it('while it starts again on a slow machine, however short HANG_TIMEOUT is', () => {
    const short = { ...patience, hangTimeoutMs: 1000, longestStepMs: 300 };
    let progress = initialProgress(0, true);
    for (let look = 1; look * 100 < startupGraceMs; look++)
      progress = nextProgress(progress, nothing, look * 100, short);
    expect(isHung(progress, short)).toBe(false);
    expect(isHung(nextProgress(progress, nothing, startupGraceMs, short), short)).toBe(true);
    let answered = nextProgress(progress, loading, startupGraceMs, short);
    for (let look = 1; look <= 10; look++)
      answered = nextProgress(answered, nothing, startupGraceMs + look * 100, short);
    expect(isHung(answered, short)).toBe(true);
  });

  it('while it may be waking from its sleep, for as long as a load may take', () => {
    expect(foundHung([idle, ...times(100, alive)], { maySleep: true })).toBe(false);
    expect(foundHung([idle, ...times(180, alive)], { maySleep: true })).toBe(true);
  });

  it('when an hour is gone between two looks', () => {
    expect(foundHung([busy(7), busy(7), busy(7)], {}, 3_600_000)).toBe(false);
    expect(foundHung([busy(7), alive, nothing, busy(8), ...times(3, busy(8))], {}, 3_600_000)).toBe(false);
  });
});

/** As `/metrics` prints it: six digits. */
const printed = (count: number) => Number(count.toPrecision(6));

/** Looks at an engine that has computed `begun` batches and computes `perLook` from one to the next, with its slots or without. */
function rounded(begun: number, perLook: number, slots: (batches: number) => string | undefined) {
  let last: number | undefined;
  return Array.from({ length: 100 }, (_, look): EngineActivity => {
    const batches = Math.floor(look * perLook);
    const done = printed(begun + batches);
    const isStill = done === last;
    last = done;
    const isExact = begun < 1_000_000;
    return { seen: 'work', busySlots: 1, done, isExact, ...(isStill && { slots: slots(batches) }) };
  });
}

describe.each([1e6, 1e7, 2e7, 1e8, 2e8, 1e9])('after %d batches, of which six digits are told', (begun) => {
  it.each([0.3, 1, 3, 7, 25])('one that computes %d batches from look to look is left alone', (perLook) => {
    expect(foundHung(rounded(begun, perLook, (batches) => `[[1,${batches},0]]`))).toBe(false);
  });

  it('one that does nothing is found hung by its slots', () => {
    expect(foundHung(rounded(begun, 0, () => '[[1,7,0]]'))).toBe(true);
  });

  it('one that does not tell of its slots, and answers for its queue, is left alone', () => {
    expect(foundHung(rounded(begun, 3, () => 'untold'))).toBe(false);
    expect(foundHung(rounded(begun, 0, () => 'untold'))).toBe(false);
  });

  it('one whose queue stands still is found hung, whatever its counters are', () => {
    const before = rounded(begun, 3, () => 'untold').slice(0, 5);
    expect(foundHung([...before, ...times(12, alive)])).toBe(true);
  });
});

it('below a million batches the counters tell without the slots', () => {
  expect(foundHung(rounded(999_000, 0, () => 'untold'))).toBe(true);
  expect(foundHung(rounded(999_000, 1, () => 'untold'))).toBe(false);
});

it('slots that could not be asked say nothing in favour of an engine', () => {
  expect(foundHung(rounded(2e7, 0, () => undefined))).toBe(true);
});
