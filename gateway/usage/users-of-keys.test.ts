import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { noUsage, utcDay } from '../api/usage.ts';
import { DailyUsers } from './daily-users.ts';
import { LedgerFile, ledgerFileName } from './ledger-file.ts';
import type { UsageEntry } from './usage-batch.ts';
import { UsageLedger } from './usage-ledger.ts';
import type { UsageQuery } from './usage-query.ts';

const now = Date.now();
const today = utcDay(now);

const entry = (keyId: string, user: string | undefined, input: number): UsageEntry => ({
  ...{ keyId, user, at: now, previousSecret: false },
  usage: { ...noUsage, requests: 1, input, output: 1, computeMs: 0.1 * input },
});

const open = (dataDir: string) => new UsageLedger({ dataDir, retentionDays: 30, onProblem: () => {} });

const query = (by: UsageQuery['by'], keyId?: string): UsageQuery => ({ since: today, keyId, by });

describe('the usage of users', () => {
  it('adds up to the usage of their key, in memory and on disk', async () => {
    await using folder = await temporaryFolder();
    const ledger = open(folder.path);
    await ledger.ready;
    const record = () => {
      ledger.record(entry('team', 'a', 10));
      ledger.record(entry('team', 'a', 3));
      ledger.record(entry('team', 'b', 5));
      ledger.record(entry('team', undefined, 7));
      ledger.record(entry('single', undefined, 100));
    };
    const requestsAndInput = async (by: UsageQuery['by'], keyId?: string) =>
      (await ledger.query(query(by, keyId)))
        .map(({ user, requests, input }) => [user, requests, input])
        .sort();
    record();
    const expected = [
      ['a', 2, 13],
      ['b', 1, 5],
      ['none', 1, 7],
    ];
    expect(await requestsAndInput(['user'], 'team')).toEqual(expected);
    expect(await requestsAndInput(['key'], 'team')).toEqual([[undefined, 4, 25]]);
    await ledger.close();
    const file = new LedgerFile(folder.file(ledgerFileName), { readOnly: true });
    const read = file.sums(query(['user'], 'team'));
    expect(read.map(({ user, requests, input }) => [user, requests, input]).sort()).toEqual(expected);
    const sum = (rows: readonly { computeMs: number }[]) => rows.reduce((all, row) => all + row.computeMs, 0);
    expect(sum(read)).toBeCloseTo(sum(file.sums(query(['key'], 'team'))));
    expect(file.sums(query(['day', 'user'], 'team')).every(({ day }) => day === today)).toBe(true);
    file.close();
  });

  it('is found again by the next process, for budgets too', async () => {
    await using folder = await temporaryFolder();
    const first = open(folder.path);
    await first.ready;
    first.record(entry('team', 'a', 10));
    await first.close();
    const second = open(folder.path);
    await second.ready;
    second.record(entry('team', 'a', 1));
    expect(second.tokensOfUser('team', 'a', now)).toBe(13);
    expect(second.tokensOfUser('team', 'b', now)).toBe(0);
    await second.close();
  });

  it('leaves a ledger of an older version readable, and that version can go on with it', async () => {
    await using folder = await temporaryFolder();
    const path = folder.file(ledgerFileName);
    const columns = 'requests, errors, input, cached, output, queue_ms, compute_ms, machine_ms';
    const older = new DatabaseSync(path);
    older.exec(`CREATE TABLE usage (day TEXT, key_id TEXT, ${columns.replaceAll(/(\w+)/g, '$1 REAL NOT NULL')},
        PRIMARY KEY (day, key_id)) WITHOUT ROWID;
      CREATE TABLE seen (key_id TEXT PRIMARY KEY, last_used REAL NOT NULL, previous_last_used REAL) WITHOUT ROWID;
      INSERT INTO usage VALUES ('${today}', 'team', 5, 0, 50, 0, 5, 0, 0, 0)`);
    const before = new LedgerFile(path, { readOnly: true });
    expect(before.sums(query(['user']))).toMatchObject([{ user: 'none', requests: 5, input: 50 }]);
    before.close();
    const ledger = open(folder.path);
    await ledger.ready;
    ledger.record(entry('team', 'a', 10));
    await ledger.close();
    older.exec(`INSERT INTO usage (day, key_id, ${columns}) VALUES ('${today}', 'team', 1, 0, 2, 0, 0, 0, 0, 0)
      ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, input = input + excluded.input`);
    older.close();
    const after = new LedgerFile(path);
    expect(after.sums(query(['user']))).toMatchObject([
      { user: 'a', requests: 1, input: 10 },
      { user: 'none', requests: 6, input: 52 },
    ]);
    after.close();
  });

  it('has no more lines than users of one day may have, and the rest in one', async () => {
    await using folder = await temporaryFolder();
    const ledger = open(folder.path);
    await ledger.ready;
    const users = 12_000;
    for (let n = 0; n < users; n++) ledger.record(entry('team', `user ${n}`, 1));
    ledger.record(entry('team', 'user 0', 1));
    const rows = await ledger.query(query(['user'], 'team'));
    expect(rows).toHaveLength(10_002);
    expect(rows.find(({ user }) => user === 'other')?.requests).toBe(2000);
    expect(rows.find(({ user }) => user === 'user 0')?.requests).toBe(2);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(users + 1);
    await ledger.close();
  });

  it('is kept in memory for as many days as that of keys', () => {
    const users = new DailyUsers(2);
    const use = (user: string, day: string) => users.add({ keyId: 'team', user, day, tokens: 1 });
    expect(['a', 'b', 'c', 'a'].map((user) => use(user, '2026-11-01'))).toEqual(['a', 'b', 'other', 'a']);
    for (const day of ['2026-11-02', '2026-11-03', '2026-11-04']) use('a', day);
    expect(users.tokens('team', 'a', '2026-11-01')).toBe(0);
    expect(users.tokens('team', 'a', '2026-11-04')).toBe(1);
    expect(users.tokens('team', 'c', '2026-11-04')).toBe(0);
  });
});
