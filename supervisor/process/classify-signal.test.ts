import { expect, it } from 'vitest';
import { classifySignal } from './classify-signal.ts';

it('two signals at once are one wish, a later one hurries', () => {
  expect(classifySignal(undefined, 5000)).toBe('stop');
  expect(classifySignal(5000, 5001)).toBe('echo');
  expect(classifySignal(5000, 5300)).toBe('echo');
  expect(classifySignal(5000, 5301)).toBe('hurry');
});
