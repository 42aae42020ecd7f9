import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../log/create-log.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { saveTurn } from '../test/harness/stored-responses.ts';
import { StoreSync } from './store-sync.ts';

it('what the gateway has stored is in the database within a second, without its doing', async () => {
  await using test = await openTestStore({ role: 'gateway' });
  const log = createLog({ level: 'error', from: 'runner', write: () => undefined });
  const sync = new StoreSync(test.open('runner'), log);
  const isInDatabase = (text: string) => readFileSync(join(test.folder, 'store.sqlite')).includes(text);
  sync.run(0);
  saveTurn(test.store, 'a first prompt');
  sync.run(999);
  expect(isInDatabase('a first prompt')).toBe(false);
  sync.run(1000);
  expect(isInDatabase('a first prompt')).toBe(true);
  saveTurn(test.store, 'a second prompt');
  sync.run(2000);
  expect(isInDatabase('a second prompt')).toBe(true);
});
