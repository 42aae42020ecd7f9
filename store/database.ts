import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { makePrivate } from '../fs/folders.ts';
import { asStoreError, StoreError } from './errors.ts';
import { migrate } from './schema.ts';

/** Which process uses the store: the one that serves it, the one that runs batches, or a command. */
export type StoreRole = 'gateway' | 'runner' | 'command';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** How many free pages are given back at once. */
const PAGES = 256;

/** Longer than any transaction of ours takes, ms. */
const BUSY_TIMEOUT = 5000;

/**
 * The runner syncs at each commit, because it must not forget a result that it has written. In the gateway all streams
 * would wait meanwhile, so it syncs only what has to be durable. The runner also does the checkpoints; the gateway only
 * if no runner does.
 */
const pragmasByRole: Readonly<Record<StoreRole, string>> = {
  gateway: 'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 10000',
  runner: 'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000',
  command: 'PRAGMA synchronous = FULL',
};

/** The database of the store, readable by its owner only. Failures of the disk are StoreUnavailable. */
export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #folder: string;
  readonly #role: StoreRole;
  readonly #statements = new Map<string, StatementSync>();

  /** Throws a StoreError, or StoreUnavailable. A command does not create the database. */
  constructor(file: string, role: StoreRole) {
    this.#folder = dirname(file);
    this.#role = role;
    if (role === 'command' && !existsSync(file)) throw new StoreError(`there is no store in ${this.#folder}`);
    this.#db = this.#guard(() => {
      createPrivateFile(file);
      return new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
    });
    try {
      this.#guard(() => {
        // It must be known before there is anything that the database may shrink later.
        if (this.#pages('page_count') === 0) this.#db.exec('PRAGMA auto_vacuum = INCREMENTAL');
        this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON');
        this.#db.exec(pragmasByRole[role]);
      });
      this.transaction(() => migrate(this.#db, file));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Changes when another process commits. */
  get version(): number {
    return Number(this.get('PRAGMA data_version')?.data_version);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values));
  }

  /** Returns how many rows have changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /** Runs `action` as one transaction, which is rolled back if it throws. */
  transaction<T>(action: () => T): T {
    return this.#guard(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = action();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** One that also survives a power failure, in the gateway as well. */
  durableTransaction<T>(action: () => T): T {
    if (this.#role !== 'gateway') return this.transaction(action);
    this.#guard(() => this.#db.exec('PRAGMA synchronous = FULL'));
    try {
      return this.transaction(action);
    } finally {
      this.#db.exec('PRAGMA synchronous = NORMAL');
    }
  }

  /** Moves everything from the write-ahead log to the database, and empties the log. */
  checkpoint(): void {
    this.#guard(() => this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  /** Gives some of its free pages back to the file system, at the next checkpoint. Whether there are more. */
  shrink(): boolean {
    const before = this.#pages('freelist_count');
    if (before > 0) this.#guard(() => this.#db.exec(`PRAGMA incremental_vacuum(${PAGES})`));
    const left = this.#pages('freelist_count');
    return left > 0 && left < before;
  }

  /** Makes durable what others have committed. Nobody waits for it. */
  sync(): void {
    this.#guard(() => this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)'));
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #pages(pragma: 'page_count' | 'freelist_count'): number {
    return Number(this.get(`PRAGMA ${pragma}`)?.[pragma]);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw asStoreError(error, this.#folder);
    }
  }
}

/** SQLite gives its `-wal` and `-shm` files the mode and the owner of the database. */
function createPrivateFile(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  makePrivate(file, 0o600);
}
