import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../log/create-log.ts';
import { DAY } from '../../settings/durations.ts';
import { addUsage, noUsage, type UsageSums, utcDay } from '../api/usage.ts';
import { BoundedMap } from '../bounded-map.ts';
import { DailyUsers, otherUsers } from './daily-users.ts';
import { ledgerFileName } from './ledger-file.ts';
import type { LedgerCommand, LedgerReply, LedgerWorkerData } from './ledger-worker.ts';
import { type KeySeen, recordUse, UsageBatch, type UsageEntry, type UsageRow } from './usage-batch.ts';
import { addUnwritten, type UsageQuery } from './usage-query.ts';

const FLUSH_INTERVAL = 1000;
/** After a failed write: a full disk is not freed within a second. */
const RETRY_INTERVAL = 10_000;
/** After this long without a reply the volume counts as hung. */
const TIMEOUT = 30_000;
const CLOSE_TIMEOUT = 2000;
/** After this long without a command the thread ends until the next one: it takes 8 MB. */
const THREAD_IDLE_TIME = 5000;
/** Not only today: a clock that is set forwards and back must not grant a day's budget twice. */
const DAYS_IN_MEMORY = 3;

export interface LedgerConfig {
  /** The folder of `usage.sqlite`. */
  readonly dataDir: string;
  readonly retentionDays: number;
}

export interface UsageLedgerOptions extends LedgerConfig {
  /** Called with the reason when the file becomes unwritable, and with undefined when it is writable again. */
  readonly onProblem: (reason: string | undefined) => void;
}

/** Creates the ledger, and logs when it cannot be written and when it can again. */
export function createUsageLedger(config: LedgerConfig, log: Log): UsageLedger {
  return new UsageLedger({
    ...config,
    onProblem: (reason) => {
      if (reason === undefined) log.info('the usage ledger is writable again; no usage was lost');
      else
        log.warn(
          `cannot write the usage ledger in ${config.dataDir} (${reason}): usage is kept in memory until it is writable`,
        );
    },
  });
}

/**
 * The usage of each key. Recording is a few additions in memory; once per second a thread writes them to a file, the
 * lines of batches at once. A `kill -9` loses at most one second, and a slow or full volume never fails a request.
 */
export class UsageLedger {
  readonly #options: UsageLedgerOptions;
  /** By day, then by key. */
  readonly #days = new BoundedMap<string, Map<string, UsageRow>>(DAYS_IN_MEMORY);
  readonly #users = new DailyUsers();
  readonly #seen = new Map<string, KeySeen>();
  /** Undefined while there is nothing to write or to read. */
  #worker: Worker | undefined;
  /** Since when the thread has been starting, or opening the file; undefined once it has replied. */
  #openingSince: number | undefined;
  #lastCommandAt = 0;
  #pending = new UsageBatch();
  #inFlight: UsageBatch | undefined;
  #inFlightSince = 0;
  /** The next write begins as soon as the one in flight has ended. */
  #isUrgent = false;
  /** In the order of their read commands. */
  readonly #queries: ((rows: readonly UsageRow[]) => void)[] = [];
  readonly #historyRead = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #closed: PromiseWithResolvers<void> | undefined;
  #problem: string | undefined;
  #hasHistory = false;

  constructor(options: UsageLedgerOptions) {
    this.#options = options;
    this.#startWorker();
    this.#scheduleFlush(FLUSH_INTERVAL);
  }

  /** Why the file cannot be written; undefined if it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when the usage that earlier processes wrote today has been read, or cannot be read. */
  get ready(): Promise<void> {
    return this.#historyRead.promise;
  }

  record(entry: UsageEntry): void {
    this.#pending.add(this.#withLineOfUser(entry));
    this.#add(entry.keyId, utcDay(entry.at), entry.usage);
    recordUse(this.#seen, entry.keyId, entry.at, entry.previousSecret ? entry.at : null);
    if (!entry.isUrgent) return;
    this.#isUrgent = true;
    if (this.#problem === undefined) this.#flush();
  }

  /** The usage of a key since midnight UTC, including earlier processes. */
  today(keyId: string, now: number): Readonly<UsageSums> {
    return this.#days.get(utcDay(now))?.get(keyId) ?? noUsage;
  }

  /** The tokens that a user of a key has used since midnight UTC. */
  tokensOfUser(keyId: string, user: string, now: number): number {
    return this.#users.tokens(keyId, user, utcDay(now));
  }

  seen(keyId: string): Readonly<KeySeen> | undefined {
    return this.#seen.get(keyId);
  }

  /**
   * One row per combination of the groups, including unwritten usage; only unwritten usage if the file cannot be read. The worker
   * replies in the order of the commands, so a batch still in flight when the reply arrives is not part of it.
   */
  async query(query: UsageQuery): Promise<UsageRow[]> {
    const { promise, resolve } = Promise.withResolvers<readonly UsageRow[]>();
    this.#queries.push(resolve);
    this.#send({ command: 'read', query });
    const timer = setTimeout(resolve, TIMEOUT, []);
    const rows = await promise;
    clearTimeout(timer);
    return addUnwritten(query, rows, [...(this.#inFlight?.rows ?? []), ...this.#pending.rows]);
  }

  /** Writes pending usage and ends the thread, or gives up after two seconds. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closed = Promise.withResolvers();
    const timer = setTimeout(this.#closed.resolve, CLOSE_TIMEOUT);
    this.#inFlight = undefined;
    this.#flush();
    if (this.#worker !== undefined) {
      this.#send({ command: 'close' });
      await this.#closed.promise;
    }
    clearTimeout(timer);
    await this.#worker?.terminate();
  }

  #withLineOfUser(entry: UsageEntry): UsageEntry {
    const { keyId, user, at, usage } = entry;
    if (user === undefined) return entry;
    const tokens = usage.input + usage.output;
    return { ...entry, user: this.#users.add({ keyId, user, day: utcDay(at), tokens }) };
  }

  #startWorker(): Worker {
    const workerData: LedgerWorkerData = {
      path: join(this.#options.dataDir, ledgerFileName),
      today: utcDay(Date.now()),
    };
    const worker = new Worker(new URL('./ledger-worker.ts', import.meta.url), { workerData });
    worker.unref();
    worker.on('message', (reply: LedgerReply) => {
      if (worker !== this.#worker) return;
      this.#openingSince = undefined;
      this.#onReply(reply);
    });
    worker.on('error', (error) => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      this.#openingSince = undefined;
      for (const resolve of this.#queries.splice(0)) resolve([]);
      this.#restoreInFlight();
      this.#fail(error.message);
    });
    this.#worker = worker;
    this.#openingSince = performance.now();
    this.#lastCommandAt = this.#openingSince;
    return worker;
  }

  #endIdleWorker(): void {
    if (this.#inFlight !== undefined || this.#queries.length > 0 || !this.#pending.isEmpty) return;
    if (this.#openingSince !== undefined) return;
    if (performance.now() - this.#lastCommandAt < THREAD_IDLE_TIME) return;
    this.#worker?.postMessage({ command: 'close' } satisfies LedgerCommand);
    this.#worker = undefined;
  }

  #scheduleFlush(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#flush();
      this.#endIdleWorker();
      this.#scheduleFlush(this.#problem === undefined ? FLUSH_INTERVAL : RETRY_INTERVAL);
    }, ms);
    this.#timer.unref();
  }

  #flush(): void {
    const since = this.#openingSince ?? (this.#inFlight && this.#inFlightSince);
    if (since !== undefined && performance.now() - since > TIMEOUT) this.#fail('the volume does not respond');
    if (this.#pending.isEmpty || this.#inFlight) return;
    this.#isUrgent = false;
    this.#inFlight = this.#pending;
    this.#inFlightSince = performance.now();
    this.#pending = new UsageBatch();
    const { rows, seen } = this.#inFlight;
    const keepFrom = utcDay(Date.now() - this.#options.retentionDays * DAY);
    this.#send({ command: 'write', rows, seen, keepFrom });
  }

  #send(command: LedgerCommand): void {
    const worker = this.#worker ?? this.#startWorker();
    this.#lastCommandAt = performance.now();
    worker.postMessage(command);
  }

  #onReply(reply: LedgerReply): void {
    switch (reply.reply) {
      case 'opened':
        this.#addHistory(reply);
        this.#historyRead.resolve();
        break;
      case 'written':
        this.#inFlight = undefined;
        this.#recover();
        if (this.#isUrgent) this.#flush();
        break;
      case 'read':
        this.#queries.shift()?.(reply.rows);
        break;
      case 'failed':
        if (reply.command === 'write') this.#restoreInFlight();
        if (reply.command === 'read') this.#queries.shift()?.([]);
        this.#fail(reply.reason);
        break;
      case 'closed':
        this.#closed?.resolve();
    }
  }

  /** Only once: a restarted thread finds our own rows in the file. */
  #addHistory({ today, users, seen }: Extract<LedgerReply, { reply: 'opened' }>): void {
    if (this.#hasHistory) return;
    this.#hasHistory = true;
    for (const row of today) this.#add(row.keyId, row.day, row);
    for (const one of users) if (one.user !== otherUsers) this.#users.add(one);
    for (const { keyId, lastUsed, previousLastUsed } of seen)
      recordUse(this.#seen, keyId, lastUsed, previousLastUsed);
  }

  #restoreInFlight(): void {
    if (this.#inFlight) this.#pending.merge(this.#inFlight.rows, this.#inFlight.seen);
    this.#inFlight = undefined;
  }

  #fail(reason: string): void {
    this.#historyRead.resolve();
    if (this.#problem === undefined) this.#options.onProblem(reason);
    this.#problem = reason;
  }

  #recover(): void {
    if (this.#problem !== undefined) this.#options.onProblem(undefined);
    this.#problem = undefined;
  }

  #add(keyId: string, day: string, usage: Readonly<UsageSums>): void {
    const rows = this.#rowsOfDay(day);
    const known = rows.get(keyId);
    if (known) addUsage(known, usage);
    else rows.set(keyId, { ...noUsage, ...usage, keyId, day, model: '' });
  }

  #rowsOfDay(day: string): Map<string, UsageRow> {
    const known = this.#days.get(day);
    if (known) return known;
    const rows = new Map<string, UsageRow>();
    this.#days.set(day, rows);
    return rows;
  }
}
