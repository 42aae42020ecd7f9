import { DatabaseSync } from 'node:sqlite';
import { noUsage, sumNames } from '../api/usage.ts';
import type { UserTokens } from './daily-users.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';
import { noUser, type UsageQuery } from './usage-query.ts';

/** The name of the ledger in `DATA_DIR`. */
export const ledgerFileName = 'usage.sqlite';

const columns = sumNames.map(toColumn);
/** An older version does not write the columns that it does not know. */
const number = 'REAL NOT NULL DEFAULT 0';

/** A column of the result, and what it is for a group. */
const groupColumns = {
  key: ['key_id', 'key_id'],
  day: ['day', 'day'],
  month: ['day', 'substr(day, 1, 7)'],
  model: ['model', 'model'],
  user: ['user', 'user'],
} as const;

/**
 * The usage ledger on disk: one row per key and day, one per model of these with several models, one per user
 * of these for keys that tell their users apart, and when each key was last used. Readers and the one writer can be different
 * processes. It uses a rollback journal: WAL needs shared memory, which network volumes do not have.
 */
export class LedgerFile {
  readonly #db: DatabaseSync;

  /** Throws if the file can be neither opened nor created. */
  constructor(path: string, { readOnly = false } = {}) {
    this.#db = new DatabaseSync(path, { readOnly, timeout: 5000 });
    if (!readOnly) this.#createTables();
  }

  /** In one transaction. */
  write(rows: readonly UsageRow[], seen: readonly KeySeen[]): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const add = this.#prepareAdd('usage', ['day', 'key_id']);
      const addToModel = this.#prepareAdd('model_usage', ['day', 'key_id', 'model']);
      const addToUser = this.#prepareAdd('user_usage', ['day', 'key_id', 'user']);
      for (const row of rows) {
        const values = sumNames.map((name) => row[name]);
        if (row.user !== undefined) addToUser.run(row.day, row.keyId, row.user, ...values);
        else if (row.model === '') add.run(row.day, row.keyId, ...values);
        else addToModel.run(row.day, row.keyId, row.model, ...values);
      }
      const updateSeen = this.#db.prepare(
        `INSERT INTO seen (key_id, last_used, previous_last_used) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET last_used = max(last_used, excluded.last_used),
           previous_last_used = coalesce(excluded.previous_last_used, previous_last_used)`,
      );
      for (const { keyId, lastUsed, previousLastUsed } of seen)
        updateSeen.run(keyId, lastUsed, previousLastUsed);
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Rows from that day (`2026-11-20`) on, oldest first. */
  usageSince(day: string): UsageRow[] {
    const query = this.#db.prepare('SELECT * FROM usage WHERE day >= ? ORDER BY day, key_id');
    return query.all(day).map(toRow);
  }

  /** One row per combination of the groups; the other columns are empty. */
  sums({ since, until, keyId, by }: UsageQuery): UsageRow[] {
    const [ofModels, ofUsers] = [by.includes('model'), by.includes('user')];
    if (ofModels && !this.#hasTable('model_usage')) return [];
    const groups = new Map<string, string>(by.map((group) => groupColumns[group]));
    const names = ['key_id', 'day', 'model', 'user'].map((name) => `${groups.get(name) ?? "''"} AS ${name}`);
    const sums = columns.map((name) => `sum(${name}) AS ${name}`).join(', ');
    const rows = ofModels
      ? this.#select('model_usage', 'model')
      : ofUsers
        ? this.#selectByUser()
        : this.#select('usage', 'NULL AS user');
    const query = this.#db.prepare(
      `SELECT ${names.join(', ')}, ${sums} FROM (${rows})
       WHERE day >= ? AND (? IS NULL OR day < ?) AND (? IS NULL OR key_id = ?)
       GROUP BY ${[...groups.values()].join(', ')}`,
    );
    const [last, key] = [until ?? null, keyId ?? null];
    return query.all(since, last, last, key, key).map(toRow);
  }

  /** The tokens of each user from that day on. */
  userTokensSince(day: string): UserTokens[] {
    const query = this.#db.prepare(
      'SELECT day, key_id, user, input + output AS tokens FROM user_usage WHERE day >= ?',
    );
    return query.all(day).map((row) => ({
      keyId: String(row.key_id),
      user: String(row.user),
      day: String(row.day),
      tokens: Number(row.tokens),
    }));
  }

  /** The keys that were ever used, as far as the ledger goes back. */
  keyIds(): readonly string[] {
    const query = this.#db.prepare('SELECT key_id FROM usage UNION SELECT key_id FROM seen');
    return query.all().map((row) => String(row.key_id));
  }

  seen(): KeySeen[] {
    const rows = this.#db.prepare('SELECT * FROM seen').all();
    return rows.map((row) => ({
      keyId: String(row.key_id),
      lastUsed: Number(row.last_used),
      previousLastUsed: row.previous_last_used === null ? null : Number(row.previous_last_used),
    }));
  }

  deleteBefore(day: string): void {
    for (const table of ['usage', 'model_usage', 'user_usage'])
      this.#db.prepare(`DELETE FROM ${table} WHERE day < ?`).run(day);
  }

  close(): void {
    this.#db.close();
  }

  #prepareAdd(table: string, names: readonly string[]) {
    const all = [...names, ...columns];
    return this.#db.prepare(
      `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})
       ON CONFLICT DO UPDATE SET ${columns.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`,
    );
  }

  /** The rows of a table. Columns that the file does not have are 0. */
  #select(table: string, name: string, sign = ''): string {
    const known = this.#columnsOf(table);
    const values = columns.map((column) =>
      known.has(column) ? `${sign}${column} AS ${column}` : `0 AS ${column}`,
    );
    return `SELECT day, key_id, ${name}, ${values.join(', ')} FROM ${table}`;
  }

  /** What users of keys have used, and as `none` what is left of the usage of all. */
  #selectByUser(): string {
    const all = this.#select('usage', `'${noUser}' AS user`);
    if (!this.#hasTable('user_usage')) return all;
    const less = this.#select('user_usage', `'${noUser}' AS user`, '-');
    return `${all} UNION ALL ${this.#select('user_usage', 'user')} UNION ALL ${less}`;
  }

  /** The file may be of a version that did not know models or users, and may be opened to be read only. */
  #hasTable(name: string): boolean {
    const query = this.#db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
    return query.get(name) !== undefined;
  }

  #createTables(): void {
    this.#db.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL');
    const sums = columns.map((name) => `${name} ${number}`).join(', ');
    this.#db.exec(`CREATE TABLE IF NOT EXISTS usage (day TEXT, key_id TEXT, ${sums}, PRIMARY KEY (day, key_id)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS model_usage (day TEXT, key_id TEXT, model TEXT, ${sums}, PRIMARY KEY (day, key_id, model)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS user_usage (day TEXT, key_id TEXT, user TEXT, ${sums}, PRIMARY KEY (day, key_id, user)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS seen (key_id TEXT PRIMARY KEY, last_used REAL NOT NULL, previous_last_used REAL) WITHOUT ROWID`);
    for (const table of ['usage', 'model_usage', 'user_usage']) this.#addColumns(table);
  }

  /** Adds the columns that the version which created the table did not have. */
  #addColumns(table: string): void {
    const known = this.#columnsOf(table);
    for (const name of columns)
      if (!known.has(name)) this.#db.exec(`ALTER TABLE ${table} ADD COLUMN ${name} ${number}`);
  }

  #columnsOf(table: string): ReadonlySet<string> {
    const rows = this.#db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    return new Set(rows.map(({ name }) => String(name)));
  }
}

function toColumn(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toRow(row: Record<string, unknown>): UsageRow {
  const sums = { ...noUsage };
  for (const name of sumNames) sums[name] = Number(row[toColumn(name)] ?? 0);
  const { day, key_id: keyId, model = '', user } = row;
  return {
    ...{ keyId: String(keyId), day: String(day), model: String(model), ...sums },
    ...(user ? { user: String(user) } : undefined),
  };
}
