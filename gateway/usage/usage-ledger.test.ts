import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DAY } from '../../settings/durations.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { noUsage, utcDay } from '../api/usage.ts';
import { LedgerFile, ledgerFileName } from './ledger-file.ts';
import type { UsageEntry } from './usage-batch.ts';
import { UsageLedger } from './usage-ledger.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'corral-ledger-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function entry(keyId: string, output: number, more: Partial<UsageEntry> = {}): UsageEntry {
  const usage = { ...noUsage, requests: 1, input: 10, output };
  return { keyId, at: Date.now(), previousSecret: false, usage, ...more };
}

/** Await `ready` before `close` where the file must be written: starting the thread may take longer than `close` waits. */
function createLedger(dataDir = folder) {
  const problems: (string | undefined)[] = [];
  const ledger = new UsageLedger({
    dataDir,
    retentionDays: 30,
    onProblem: (reason) => problems.push(reason),
  });
  return { ledger, problems };
}

function onDisk(dataDir = folder) {
  const file = new LedgerFile(join(dataDir, ledgerFileName), { readOnly: true });
  try {
    return file.usageSince('2000-01-01');
  } finally {
    file.close();
  }
}

/** Whether this process has the file open. */
function isOpen(path: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd)) === path;
    } catch {
      return false;
    }
  });
}

describe('UsageLedger', () => {
  it('adds up usage per key and day and writes it within about a second', async () => {
    const { ledger } = createLedger();
    ledger.record(entry('app', 5));
    ledger.record(entry('app', 7));
    ledger.record(entry('other', 1));
    const rows = await waitFor('three entries on disk', () => onDisk().length === 2 && onDisk());
    expect(rows.find(({ keyId }) => keyId === 'app')).toMatchObject({ requests: 2, input: 20, output: 12 });
    await ledger.close();
  });

  it('writes pending usage on close and continues counting after a restart', async () => {
    const first = createLedger();
    await first.ledger.ready;
    first.ledger.record(entry('app', 5, { previousSecret: true }));
    await first.ledger.close();
    const { ledger } = createLedger();
    await waitFor('the history to be read', () => ledger.today('app', Date.now()).output === 5);
    ledger.record(entry('app', 2));
    expect(ledger.today('app', Date.now())).toMatchObject({ requests: 2, output: 7 });
    expect(ledger.seen('app')?.previousLastUsed).toBeTypeOf('number');
    await ledger.close();
    expect(onDisk()).toMatchObject([{ keyId: 'app', requests: 2, output: 7 }]);
  });

  it('writes the lines of batches at once, one write after the other', async () => {
    // Its own timer never fires.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const { ledger } = createLedger();
    vi.useRealTimers();
    await ledger.ready;
    for (let n = 1; n <= 3; n++) {
      ledger.record(entry('app', 1, { isUrgent: true }));
      ledger.record(entry('app', 1, { isUrgent: true }));
      await waitFor('both on disk', () => onDisk()[0]?.output === 2 * n);
    }
    await ledger.close();
  });

  it('ends its thread while nothing is written or read, and starts it again', async () => {
    const { ledger, problems } = createLedger();
    await ledger.ready;
    ledger.record(entry('app', 5));
    await waitFor('the entry on disk', () => onDisk().length === 1);
    expect(isOpen(join(folder, ledgerFileName))).toBe(true);
    await waitFor('the file to be closed', () => !isOpen(join(folder, ledgerFileName)));
    ledger.record(entry('app', 7));
    await waitFor('both entries on disk', () => onDisk()[0]?.output === 12);
    expect(await ledger.query({ since: utcDay(Date.now()), keyId: undefined, by: ['key'] })).toMatchObject([
      { keyId: 'app', requests: 2 },
    ]);
    await ledger.close();
    expect(problems).toEqual([]);
  });

  it('waits for a thread that takes long to start, and has a problem if it takes too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const { ledger, problems } = createLedger();
    let isRead = false;
    void ledger.ready.then(() => {
      isRead = true;
    });
    vi.advanceTimersByTime(20_000);
    await Promise.resolve();
    expect([isRead, problems]).toEqual([false, []]);
    vi.advanceTimersByTime(20_000);
    await Promise.resolve();
    expect([isRead, problems]).toEqual([true, ['the volume does not respond']]);
    vi.useRealTimers();
    ledger.record(entry('app', 1));
    expect(await ledger.query({ since: utcDay(Date.now()), keyId: undefined, by: ['key'] })).toMatchObject([
      { keyId: 'app', output: 1 },
    ]);
    await ledger.close();
    expect(onDisk()).toMatchObject([{ keyId: 'app', output: 1 }]);
    expect(problems.at(-1)).toBeUndefined();
  });

  it('counts what earlier processes wrote, however long its thread takes to start', async () => {
    const before = createLedger().ledger;
    before.record(entry('app', 7));
    await before.ready;
    await before.close();
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const { ledger } = createLedger();
    vi.advanceTimersByTime(20_000);
    vi.useRealTimers();
    await ledger.ready;
    expect(ledger.today('app', Date.now())).toMatchObject({ output: 7 });
    await ledger.close();
  });

  it('returns written and unwritten usage', async () => {
    const earlier = createLedger();
    await earlier.ledger.ready;
    const yesterday = Date.now() - DAY;
    earlier.ledger.record(entry('app', 5, { at: yesterday }));
    earlier.ledger.record(entry('other', 1));
    await earlier.ledger.close();
    const { ledger } = createLedger();
    ledger.record(entry('app', 2));
    const since = utcDay(yesterday);
    const byKey = await ledger.query({ since, keyId: undefined, by: ['key'] });
    expect(byKey).toMatchObject([
      { keyId: 'app', day: '', requests: 2, output: 7 },
      { keyId: 'other', requests: 1, output: 1 },
    ]);
    const byDay = await ledger.query({ since, keyId: 'app', by: ['day'] });
    expect(byDay).toMatchObject([
      { keyId: '', day: since, output: 5 },
      { day: utcDay(Date.now()), output: 2 },
    ]);
    expect(await ledger.query({ since: utcDay(Date.now()), keyId: 'app', by: ['key'] })).toMatchObject([
      { keyId: 'app', requests: 1, output: 2 },
    ]);
    await ledger.close();
  });

  it('keeps several models apart, written and unwritten, and their sum is that of the key', async () => {
    const earlier = createLedger();
    await earlier.ledger.ready;
    earlier.ledger.record(entry('app', 5, { model: 'a' }));
    earlier.ledger.record(entry('other', 1, { model: 'b' }));
    await earlier.ledger.close();
    const { ledger } = createLedger();
    ledger.record(entry('app', 2, { model: 'a' }));
    ledger.record(entry('app', 3, { model: 'b' }));
    ledger.record(entry('app', 4));
    const since = utcDay(Date.now());
    const byModel = await ledger.query({ since, keyId: undefined, by: ['model'] });
    expect(byModel).toMatchObject([
      { model: 'a', keyId: '', day: '', requests: 2, output: 7 },
      { model: 'b', requests: 2, output: 4 },
    ]);
    expect(await ledger.query({ since, keyId: 'app', by: ['model'] })).toMatchObject([
      { model: 'a', output: 7 },
      { model: 'b', output: 3 },
    ]);
    expect(await ledger.query({ since, keyId: 'app', by: ['key'] })).toMatchObject([
      { requests: 4, output: 14 },
    ]);
    expect(ledger.today('app', Date.now()).output).toBe(14);
    await ledger.close();
  });

  it('reads a file of a version that did not know models', async () => {
    const path = join(folder, ledgerFileName);
    new LedgerFile(path).close();
    const db = new DatabaseSync(path);
    db.exec('DROP TABLE model_usage');
    db.close();
    const file = new LedgerFile(path, { readOnly: true });
    expect(file.sums({ since: '2000-01-01', keyId: undefined, by: ['model'] })).toEqual([]);
    file.close();
    const { ledger } = createLedger();
    await ledger.ready;
    ledger.record(entry('app', 5, { model: 'a' }));
    await ledger.close();
    const after = new LedgerFile(path, { readOnly: true });
    expect(after.sums({ since: '2000-01-01', keyId: undefined, by: ['model'] })).toMatchObject([
      { output: 5 },
    ]);
    after.close();
  });

  it('loses no usage that is recorded during a write', async () => {
    const { ledger } = createLedger();
    await ledger.ready;
    let recorded = 0;
    const record = () => {
      ledger.record(entry('app', 1));
      recorded += 1;
    };
    await waitFor('a part to be on disk', () => {
      record();
      return onDisk().length > 0;
    });
    record();
    await ledger.close();
    expect(onDisk()).toMatchObject([{ keyId: 'app', requests: recorded, output: recorded }]);
  });

  it('starts a new day at midnight UTC', async () => {
    const { ledger } = createLedger();
    const beforeMidnight = Date.parse('2026-11-20T23:59:59.999Z');
    ledger.record(entry('app', 5, { at: beforeMidnight }));
    expect(ledger.today('app', beforeMidnight).output).toBe(5);
    expect(ledger.today('app', beforeMidnight + 1)).toEqual(noUsage);
    ledger.record(entry('app', 1, { at: beforeMidnight + 1 }));
    expect(ledger.today('app', beforeMidnight + 1).output).toBe(1);
    await ledger.close();
  });

  it.each([
    ['a day forwards and back', [0, 1, 0], [5, 7, 5 + 9]],
    ['a day back and forwards', [0, -1, 0, 1], [5, 7, 5 + 9, 3]],
  ])('grants no day twice when the clock is set %s', async (_, jumps, sums) => {
    const { ledger } = createLedger();
    const now = Date.now();
    const outputs = [5, 7, 9, 3];
    for (const [n, days] of jumps.entries()) {
      const at = now + days * DAY;
      ledger.record(entry('app', outputs[n] ?? 0, { at }));
      expect(ledger.today('app', at).output).toBe(sums[n]);
    }
    await ledger.close();
  });

  it('deletes days older than the retention time', async () => {
    const long = Date.now() - 40 * DAY;
    const file = new LedgerFile(join(folder, ledgerFileName));
    file.write([{ keyId: 'app', day: utcDay(long), model: '', ...noUsage, requests: 1 }], []);
    file.close();
    const { ledger } = createLedger();
    ledger.record(entry('app', 1));
    await waitFor('the old day is gone', () => onDisk().every(({ day }) => day !== utcDay(long)));
    await ledger.close();
  });

  it('keeps usage in memory while the file cannot be written, reports the problem once, and catches up', async () => {
    const place = join(folder, 'missing', 'too');
    const { ledger, problems } = createLedger(place);
    ledger.record(entry('app', 5));
    await waitFor('the problem to be reported', () => problems.length > 0);
    ledger.record(entry('app', 6));
    expect(problems).toEqual([expect.stringContaining('unable to open')]);
    expect(ledger.today('app', Date.now()).output).toBe(11);
    mkdirSync(join(folder, 'missing'));
    await waitFor('it caught up', () => problems.length === 2);
    await ledger.close();
    expect(onDisk(place)).toMatchObject([{ keyId: 'app', requests: 2, output: 11 }]);
  });
});
