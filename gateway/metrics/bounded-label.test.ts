import { expect, it } from 'vitest';
import { BoundedLabel } from './bounded-label.ts';

it('lets the first so many values through, and those again, and no others', () => {
  const label = new BoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd'].map((value) => label.of(value))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
  ]);
});
