import { DatabaseSync } from 'node:sqlite';
import { noUsage, sumNames } from '../api/usage.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';
import type { UsageQuery } from './usage-report.ts';

/** The name of the ledger in `DATA_DIR`. */
export const ledgerFileName = 'usage.sqlite';

const columns = sumNames.map(toColumn);

const groupColumns = { key: 'key_id', day: 'day', model: 'model' } as const;

/**
 * The usage ledger on disk: one row per key and day, one per model of these with several models, and when each key was last used. Readers and the one writer can be
 * different processes. It uses a rollback journal: WAL needs shared memory, which network volumes do not have.
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
      for (const row of rows) {
        const values = sumNames.map((name) => row[name]);
        if (row.model === '') add.run(row.day, row.keyId, ...values);
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

  /** One row per key, per day or per model; the other columns are empty. */
  sums({ since, keyId, by }: UsageQuery): UsageRow[] {
    if (by === 'model' && !this.#hasModels()) return [];
    const column = groupColumns[by];
    const names = Object.values(groupColumns).map((name) => (name === column ? name : `'' AS ${name}`));
    const sums = columns.map((name) => `sum(${name}) AS ${name}`).join(', ');
    const query = this.#db.prepare(
      `SELECT ${names.join(', ')}, ${sums} FROM ${by === 'model' ? 'model_usage' : 'usage'}
       WHERE day >= ? AND (? IS NULL OR key_id = ?) GROUP BY ${column}`,
    );
    return query.all(since, keyId ?? null, keyId ?? null).map(toRow);
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
    for (const table of ['usage', 'model_usage'])
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

  /** The file may be of a version that did not know models, and may be opened to be read only. */
  #hasModels(): boolean {
    const query = this.#db.prepare(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'model_usage'",
    );
    return query.get() !== undefined;
  }

  #createTables(): void {
    this.#db.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL');
    const sums = columns.map((name) => `${name} REAL NOT NULL`).join(', ');
    this.#db.exec(`CREATE TABLE IF NOT EXISTS usage (day TEXT, key_id TEXT, ${sums}, PRIMARY KEY (day, key_id)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS model_usage (day TEXT, key_id TEXT, model TEXT, ${sums}, PRIMARY KEY (day, key_id, model)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS seen (key_id TEXT PRIMARY KEY, last_used REAL NOT NULL, previous_last_used REAL) WITHOUT ROWID`);
  }
}

function toColumn(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toRow(row: Record<string, unknown>): UsageRow {
  const sums = { ...noUsage };
  for (const name of sumNames) sums[name] = Number(row[toColumn(name)]);
  const { day, key_id: keyId, model = '' } = row;
  return { keyId: String(keyId), day: String(day), model: String(model), ...sums };
}
