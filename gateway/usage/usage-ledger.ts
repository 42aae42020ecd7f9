import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DAY } from '../../settings/durations.ts';
import { addUsage, noUsage, type UsageSums, utcDay } from '../proxy/usage-sums.ts';
import { ledgerFileName } from './ledger-file.ts';
import type { LedgerCommand, LedgerReply, LedgerWorkerData } from './ledger-worker.ts';
import { type KeySeen, latestUse, UsageBatch, type UsageEntry, type UsageRow } from './usage-batch.ts';
import { addUnwritten, type UsageQuery } from './usage-report.ts';

const FLUSH_EVERY = 1000;
/** After a failed writing: a full disk does not empty itself within a second. */
const RETRY_EVERY = 10_000;
/** After this long without an answer the volume is taken to be stuck; what waits stays in memory. */
const PATIENCE = 30_000;
/** More than today, as a clock that is set forwards and back must not grant a day's budget twice. */
const DAYS_KEPT = 3;

export interface UsageLedgerOptions {
  /** Where `usage.sqlite` lies. */
  readonly dataDir: string;
  readonly retentionDays: number;
  /** The file cannot be written, or can be again (undefined). Until then all stays in memory. */
  readonly onProblem: (why: string | undefined) => void;
}

/**
 * Who used what. Booking is a few additions in memory; once a second a thread writes them down, so that a `kill -9` loses
 * one second at the most and no volume, however slow or full, ever fails a request.
 */
export class UsageLedger {
  readonly #options: UsageLedgerOptions;
  /** By day, then by key. */
  readonly #days = new Map<string, Map<string, UsageRow>>();
  readonly #seen = new Map<string, KeySeen>();
  #worker: Worker | undefined;
  #pending = new UsageBatch();
  #underWay: UsageBatch | undefined;
  #underWaySince = 0;
  readonly #asked: ((rows: readonly UsageRow[]) => void)[] = [];
  readonly #pastKnown = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #closed: PromiseWithResolvers<void> | undefined;
  #problem: string | undefined;
  #knowsPast = false;

  constructor(options: UsageLedgerOptions) {
    this.#options = options;
    this.#start();
    this.#schedule(FLUSH_EVERY);
  }

  /** Why nothing is written at present; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Settles when what earlier processes wrote today is known, or cannot be had. */
  get ready(): Promise<void> {
    return this.#pastKnown.promise;
  }

  record(booking: UsageEntry): void {
    this.#pending.add(booking);
    this.#count(booking.keyId, utcDay(booking.at), booking.usage);
    this.#see({
      keyId: booking.keyId,
      lastUsed: booking.at,
      previousLastUsed: booking.previousSecret ? booking.at : null,
    });
  }

  /** What a key used since midnight UTC, this process's predecessors included. */
  today(keyId: string, now: number): Readonly<UsageSums> {
    return this.#days.get(utcDay(now))?.get(keyId) ?? noUsage;
  }

  seen(keyId: string): KeySeen | undefined {
    return this.#seen.get(keyId);
  }

  /**
   * A row for each key or each day, what is not yet written included. Where the file cannot be read it is all there is.
   * Reports come in the order of the orders, so what is under way when the answer comes cannot be in it.
   */
  async query(question: UsageQuery): Promise<UsageRow[]> {
    if (!this.#worker) this.#start();
    const { promise, resolve } = Promise.withResolvers<readonly UsageRow[]>();
    this.#asked.push(resolve);
    this.#order({ order: 'read', question });
    const timer = setTimeout(resolve, PATIENCE, []);
    const rows = await promise;
    clearTimeout(timer);
    return addUnwritten(question, rows, [...(this.#underWay?.rows ?? []), ...this.#pending.rows]);
  }

  /** Writes what is pending and ends the thread; gives up where that cannot be done within two seconds. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closed = Promise.withResolvers();
    const patience = setTimeout(this.#closed.resolve, 2000);
    this.#underWay = undefined;
    this.#flush();
    this.#order({ order: 'close' });
    await this.#closed.promise;
    clearTimeout(patience);
    await this.#worker?.terminate();
  }

  #start(): void {
    const place: LedgerWorkerData = {
      path: join(this.#options.dataDir, ledgerFileName),
      today: utcDay(Date.now()),
    };
    const worker = new Worker(new URL('./ledger-worker.ts', import.meta.url), { workerData: place });
    worker.unref();
    worker.on('message', (report: LedgerReply) => this.#learn(report));
    worker.on('error', (error) => {
      this.#worker = undefined;
      for (const answer of this.#asked.splice(0)) answer([]);
      this.#takeBack();
      this.#fail(error.message);
    });
    this.#worker = worker;
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#flush();
      this.#schedule(this.#problem === undefined ? FLUSH_EVERY : RETRY_EVERY);
    }, ms);
    this.#timer.unref();
  }

  #flush(): void {
    if (this.#underWay && performance.now() - this.#underWaySince > PATIENCE)
      this.#fail('the volume does not answer');
    if (this.#pending.isEmpty || this.#underWay) return;
    if (!this.#worker) this.#start();
    this.#underWay = this.#pending;
    this.#underWaySince = performance.now();
    this.#pending = new UsageBatch();
    const { rows, seen } = this.#underWay;
    const keepFrom = utcDay(Date.now() - this.#options.retentionDays * DAY);
    this.#order({ order: 'write', rows, seen, keepFrom });
  }

  #order(order: LedgerCommand): void {
    this.#worker?.postMessage(order);
  }

  #learn(report: LedgerReply): void {
    switch (report.report) {
      case 'opened':
        this.#learnPast(report.today, report.seen);
        this.#pastKnown.resolve();
        break;
      case 'written':
        this.#underWay = undefined;
        this.#recover();
        break;
      case 'read':
        this.#asked.shift()?.(report.rows);
        break;
      case 'failed':
        if (report.order === 'write') this.#takeBack();
        if (report.order === 'read') this.#asked.shift()?.([]);
        this.#fail(report.why);
        break;
      case 'closed':
        this.#closed?.resolve();
    }
  }

  /** Once: a thread that is started again finds our own rows in the file. */
  #learnPast(today: readonly UsageRow[], seen: readonly KeySeen[]): void {
    if (this.#knowsPast) return;
    this.#knowsPast = true;
    for (const row of today) this.#count(row.keyId, row.day, row);
    for (const one of seen) this.#see(one);
  }

  #takeBack(): void {
    if (this.#underWay) this.#pending.merge(this.#underWay.rows, this.#underWay.seen);
    this.#underWay = undefined;
  }

  #fail(why: string): void {
    this.#pastKnown.resolve();
    if (this.#problem === undefined) this.#options.onProblem(why);
    this.#problem = why;
  }

  #recover(): void {
    if (this.#problem !== undefined) this.#options.onProblem(undefined);
    this.#problem = undefined;
  }

  #count(keyId: string, day: string, usage: Readonly<UsageSums>): void {
    const known = this.#rowsOf(day).get(keyId);
    if (known) addUsage(known, usage);
    else this.#rowsOf(day).set(keyId, { ...noUsage, ...usage, keyId, day });
  }

  #rowsOf(day: string): Map<string, UsageRow> {
    const known = this.#days.get(day);
    if (known) return known;
    const rows = new Map<string, UsageRow>();
    this.#days.set(day, rows);
    const [oldest] = this.#days.keys();
    if (this.#days.size > DAYS_KEPT && oldest !== undefined) this.#days.delete(oldest);
    return rows;
  }

  #see(one: KeySeen): void {
    const known = this.#seen.get(one.keyId);
    this.#seen.set(one.keyId, known ? latestUse(known, one) : one);
  }
}
