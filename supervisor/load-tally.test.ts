import { expect, it } from 'vitest';
import { LoadTally } from './load-tally.ts';

it('counts a load once, however often the engine is restarted after it', () => {
  const tally = new LoadTally();
  tally.began();
  tally.completed(1500);
  tally.completed(9000);
  tally.unloaded();
  tally.began();
  tally.completed(500);
  expect(tally).toMatchObject({ loads: 2, unloads: 1, loadMs: 2000 });
});

it('counts no unload before the load is completed', () => {
  const tally = new LoadTally();
  tally.began();
  tally.unloaded();
  expect(tally.unloads).toBe(0);
  tally.began();
  tally.completed(500);
  tally.unloaded();
  expect(tally.unloads).toBe(1);
});
