import { expect, it } from 'vitest';
import { nextKeepAlive } from './keep-alive.ts';

const times = { headersAfter: 5000, interval: 10_000 };
const before = { startedAt: 1000, headersSent: false, lastWriteAt: 0 };
const after = { startedAt: 1000, headersSent: true, lastWriteAt: 8000 };

it.each([
  ['a head that is not due yet', times, before, 2000, { send: 'nothing', checkAgainIn: 4000 }],
  ['a head that is due', times, before, 6000, { send: 'head', checkAgainIn: 10_000 }],
  ['a head that is long overdue', times, before, 60_000, { send: 'head', checkAgainIn: 10_000 }],
  ['a head at once', { ...times, headersAfter: 0 }, before, 1000, { send: 'head', checkAgainIn: 10_000 }],
  [
    'an interval shorter than the time to the head',
    { ...times, interval: 50 },
    before,
    2000,
    { send: 'nothing', checkAgainIn: 50 },
  ],
  [
    'a head that is due, with keep-alives off',
    { ...times, interval: 0 },
    before,
    6000,
    { send: 'head', checkAgainIn: undefined },
  ],
  [
    'a head that is not due yet, with keep-alives off',
    { ...times, interval: 0 },
    before,
    2000,
    { send: 'nothing', checkAgainIn: 4000 },
  ],
  ['a short silence', times, after, 9000, { send: 'nothing', checkAgainIn: 9000 }],
  ['a long silence', times, after, 18_000, { send: 'keep-alive', checkAgainIn: 10_000 }],
  [
    'a long silence with keep-alives off',
    { ...times, interval: 0 },
    after,
    99_000,
    { send: 'nothing', checkAgainIn: undefined },
  ],
] as const)('nextKeepAlive: %s', (_, times, progress, now, expected) => {
  expect(nextKeepAlive(times, progress, now)).toEqual(expected);
});
