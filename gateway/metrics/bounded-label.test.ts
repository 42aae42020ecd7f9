import { expect, it } from 'vitest';
import { BoundedLabel } from './bounded-label.ts';

it('keeps a limited number of values and maps all later ones to "other"', () => {
  const label = new BoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd'].map((value) => label.limit(value))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
  ]);
});
