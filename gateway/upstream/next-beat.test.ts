import { expect, it } from 'vitest';
import { nextBeat } from './next-beat.ts';

const pace = { headAfter: 5000, every: 10_000 };
const before = { startedAt: 1000, hasHead: false, lastAt: 0 };
const after = { startedAt: 1000, hasHead: true, lastAt: 8000 };

it.each([
  ['a head that is not due yet', pace, before, 2000, { say: 'nothing', lookAgainIn: 4000 }],
  ['a head that is due', pace, before, 6000, { say: 'head', lookAgainIn: 10_000 }],
  ['a head that is long overdue', pace, before, 60_000, { say: 'head', lookAgainIn: 10_000 }],
  ['a head at once', { ...pace, headAfter: 0 }, before, 1000, { say: 'head', lookAgainIn: 10_000 }],
  ['a pace quicker than the head', { ...pace, every: 50 }, before, 2000, { say: 'nothing', lookAgainIn: 50 }],
  ['a head without any sign', { ...pace, every: 0 }, before, 6000, { say: 'head', lookAgainIn: undefined }],
  ['no signs, head to come', { ...pace, every: 0 }, before, 2000, { say: 'nothing', lookAgainIn: 4000 }],
  ['a short silence', pace, after, 9000, { say: 'nothing', lookAgainIn: 9000 }],
  ['a long silence', pace, after, 18_000, { say: 'sign', lookAgainIn: 10_000 }],
  ['no signs', { ...pace, every: 0 }, after, 99_000, { say: 'nothing', lookAgainIn: undefined }],
] as const)('%s', (_, given, heard, now, expected) => {
  expect(nextBeat(given, heard, now)).toEqual(expected);
});
