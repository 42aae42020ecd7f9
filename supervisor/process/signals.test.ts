import { expect, it } from 'vitest';
import { classifySignal } from './signals.ts';

it('two signals at once count as one, a later one forces the stop', () => {
  expect(classifySignal(undefined, 5000)).toBe('stop');
  expect(classifySignal(5000, 5001)).toBe('duplicate');
  expect(classifySignal(5000, 5300)).toBe('duplicate');
  expect(classifySignal(5000, 5301)).toBe('force');
});
