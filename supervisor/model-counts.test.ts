import { expect, it } from 'vitest';
import { type CountedModel, PastCounts } from './model-counts.ts';

const model = (id: string, ...restarts: number[]): CountedModel => ({
  id,
  engines: restarts.map((count) => ({
    restarts: count,
    tally: { loads: 1, loadMs: 1500, unloads: 2 },
    crashes: { counts: { sigkill: count } },
  })),
});

it('a model counts its engines together', () => {
  expect(new PastCounts().totalOf(model('a', 1, 3))).toEqual({
    ...{ restarts: 4, loads: 2, loadSeconds: 3, unloads: 4 },
    crashes: { sigkill: 4 },
  });
});

it('a model that comes back counts on from where it was', () => {
  const past = new PastCounts();
  past.keep(model('a', 2));
  past.keep(model('b', 1));
  expect(past.totalOf(model('a', 0))).toMatchObject({ restarts: 2, loads: 2, crashes: { sigkill: 2 } });
  past.keep(model('a', 5));
  expect(past.totalOf(model('a'))).toMatchObject({ restarts: 7, loads: 2 });
  expect(past.restarts).toBe(8);
});
