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
