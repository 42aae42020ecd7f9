import { expect, it } from 'vitest';
import { type HasOwner, Turns } from './turns.ts';

const batch = (id: string, owner: string): HasOwner => ({ id, owner });

function take(turns: Turns, batches: readonly HasOwner[], count: number) {
  return Array.from({ length: count }, () => turns.next(batches)?.id).join(' ');
}

it('owners take turns, and so do the batches of each', () => {
  const batches = [batch('a1', 'a'), batch('a2', 'a'), batch('a3', 'a'), batch('b1', 'b')];
  expect(take(new Turns(), batches, 8)).toBe('a1 b1 a2 b1 a3 b1 a1 b1');
});

it('a new owner comes next', () => {
  const turns = new Turns();
  const a = batch('a1', 'a');
  take(turns, [a], 100);
  expect(take(turns, [a, batch('b1', 'b')], 4)).toBe('b1 a1 b1 a1');
});

it('who has nothing to do is passed over', () => {
  const turns = new Turns();
  expect(turns.next([])).toBeUndefined();
  const [a, b] = [batch('a1', 'a'), batch('b1', 'b')];
  turns.next([a, b]);
  expect(take(turns, [a], 3)).toBe('a1 a1 a1');
  expect(take(turns, [a, b], 2)).toBe('b1 a1');
});
