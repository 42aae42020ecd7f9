import { expect, it } from 'vitest';
import { wishOf } from './wish.ts';

it('two signals at once are one wish, a later one hurries', () => {
  expect(wishOf(undefined, 5000)).toBe('stop');
  expect(wishOf(5000, 5001)).toBe('echo');
  expect(wishOf(5000, 5300)).toBe('echo');
  expect(wishOf(5000, 5301)).toBe('hurry');
});
