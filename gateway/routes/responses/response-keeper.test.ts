import { expect, it } from 'vitest';
import { createLog } from '../../../log/create-log.ts';
import { openTestStore } from '../../../test/harness/open-test-store.ts';
import { saveTurn } from '../../../test/harness/stored-responses.ts';
import { ResponseKeeper } from './response-keeper.ts';

it('the last tenth of a quota is for what clients ask to be stored', async () => {
  await using test = await openTestStore({ maxSize: 20_000, maxSizePerKey: 10_000 });
  const lines: string[] = [];
  const log = createLog({ level: 'info', from: 'gateway', write: (line) => lines.push(line) });
  const keeper = new ResponseKeeper(() => test.store, log);
  expect(keeper.mayKeep('app', false)).toBe(true);
  saveTurn(test.store, 'x'.repeat(4500));
  expect(test.store.room('app').left).toBeLessThan(1000);
  expect(keeper.mayKeep('app', false)).toBe(false);
  expect(keeper.mayKeep('app', true)).toBe(true);
  expect(keeper.mayKeep('other', false)).toBe(true);
  expect(lines.join('')).toContain('key_storage_full');
});
