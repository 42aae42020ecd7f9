import { expect, it } from 'vitest';
import { nextPostDelay } from './next-post.ts';

const pace = { intervalMs: 200, mostChars: 1000 };
const after = (sinceLastMs: number, changes: object = {}) =>
  nextPostDelay({ waiting: 10, sinceLastMs, hasEnded: false, ...changes }, pace);

it('posts the first events at once, the next ones together', () => {
  expect([after(Infinity), after(0), after(150), after(200), after(900)]).toEqual([0, 200, 50, 0, 0]);
});

it('does not wait for more where much is there, or nothing will come', () => {
  expect(after(0, { waiting: 1000 })).toBe(0);
  expect(after(0, { hasEnded: true })).toBe(0);
});
