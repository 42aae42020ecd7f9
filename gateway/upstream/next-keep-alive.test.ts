import { expect, it } from 'vitest';
import { nextKeepAlive } from './next-keep-alive.ts';

const pace = { headersAfter: 5000, interval: 10_000 };
const before = { startedAt: 1000, headersSent: false, lastWriteAt: 0 };
const after = { startedAt: 1000, headersSent: true, lastWriteAt: 8000 };

it.each([
  ['a head that is not due yet', pace, before, 2000, { send: 'nothing', checkAgainIn: 4000 }],
  ['a head that is due', pace, before, 6000, { send: 'head', checkAgainIn: 10_000 }],
  ['a head that is long overdue', pace, before, 60_000, { send: 'head', checkAgainIn: 10_000 }],
  ['a head at once', { ...pace, headersAfter: 0 }, before, 1000, { send: 'head', checkAgainIn: 10_000 }],
  [
    'a pace quicker than the head',
    { ...pace, interval: 50 },
    before,
    2000,
    { send: 'nothing', checkAgainIn: 50 },
  ],
  [
    'a head without any sign',
    { ...pace, interval: 0 },
    before,
    6000,
    { send: 'head', checkAgainIn: undefined },
  ],
  ['no signs, head to come', { ...pace, interval: 0 }, before, 2000, { send: 'nothing', checkAgainIn: 4000 }],
  ['a short silence', pace, after, 9000, { send: 'nothing', checkAgainIn: 9000 }],
  ['a long silence', pace, after, 18_000, { send: 'sign', checkAgainIn: 10_000 }],
  ['no signs', { ...pace, interval: 0 }, after, 99_000, { send: 'nothing', checkAgainIn: undefined }],
] as const)('%s', (_, given, heard, now, expected) => {
  expect(nextKeepAlive(given, heard, now)).toEqual(expected);
});
