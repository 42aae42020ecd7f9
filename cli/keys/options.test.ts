import { copyFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { noUsage } from '../../gateway/api/usage.ts';
import { LedgerFile } from '../../gateway/usage/ledger-file.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { openLedger } from './ledger.ts';

it('a ledger whose writer was killed during a write is recovered and read', async () => {
  await using folder = await temporaryFolder();
  const [file, killed] = [folder.file('usage.sqlite'), folder.file('killed.sqlite')];
  const day = '2026-11-20';
  const ledger = new LedgerFile(file);
  ledger.write(
    Array.from({ length: 2000 }, (_, n) => ({ ...noUsage, keyId: `key-${n}`, day, model: '', requests: 1 })),
    [],
  );
  ledger.close();
  // A cache this small makes SQLite write before the end of the transaction; the copies are the files that a killed writer leaves.
  const writer = new DatabaseSync(file);
  writer.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 5; BEGIN IMMEDIATE');
  writer.exec('UPDATE usage SET requests = 5');
  for (const end of ['', '-journal']) copyFileSync(file + end, killed + end);
  writer.close();

  const asLeft = new LedgerFile(killed, { readOnly: true });
  expect(() => asLeft.seen()).toThrow('readonly');
  asLeft.close();
  const read = openLedger(killed);
  expect(read.sums({ since: day, keyId: undefined, by: ['day'] })).toMatchObject([{ requests: 2000 }]);
  read.close();
});
