import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from './errors.ts';

/**
 * Each step leads from one version of the schema to the next. Steps are only ever added. `n` numbers the rows in the
 * order of their creation. Times are seconds since 1970.
 */
const migrations = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- expires_at: NULL is the end of the retention. deleted: 1 while a batch still reads it.
  CREATE TABLE files (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    filename TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER,
    appended INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX files_by_owner ON files (owner, n);
  CREATE INDEX deleted_files ON files (n) WHERE deleted = 1;

  CREATE TABLE usage (owner TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER file_added AFTER INSERT ON files BEGIN
    INSERT INTO usage VALUES (new.owner, 1, new.bytes)
      ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + new.bytes;
  END;
  CREATE TRIGGER file_removed AFTER DELETE ON files BEGIN
    UPDATE usage SET files = files - 1, bytes = bytes - old.bytes WHERE owner = old.owner;
    DELETE FROM usage WHERE owner = old.owner AND files = 0;
  END;

  -- output_stored, error_stored: bytes on disk, more than output_size and error_size if encrypted.
  CREATE TABLE batches (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    dialect TEXT NOT NULL, endpoint TEXT NOT NULL, input_file TEXT NOT NULL,
    metadata TEXT, output_expires_after INTEGER, idempotency_key TEXT, request_digest TEXT,
    status TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0, model TEXT, reason TEXT, errors TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, in_progress_at INTEGER, finalizing_at INTEGER,
    completed_at INTEGER, failed_at INTEGER, expired_at INTEGER, cancelling_at INTEGER, cancelled_at INTEGER,
    total INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0, reasoning_tokens INTEGER NOT NULL DEFAULT 0,
    output_file TEXT NOT NULL, output_size INTEGER NOT NULL DEFAULT 0, output_stored INTEGER NOT NULL DEFAULT 0,
    error_file TEXT NOT NULL, error_size INTEGER NOT NULL DEFAULT 0, error_stored INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX batches_by_owner ON batches (owner, n);
  CREATE INDEX unfinished_batches ON batches (n) WHERE ended = 0;
  CREATE INDEX batches_by_input ON batches (input_file) WHERE ended = 0;
  CREATE UNIQUE INDEX batches_by_idempotency_key ON batches (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
  CREATE INDEX batches_by_status ON batches (status);

  -- One row: lines that have ended and their tokens, also of batches that are gone.
  CREATE TABLE totals (
    completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0) STRICT;
  INSERT INTO totals DEFAULT VALUES;
  CREATE TRIGGER lines_ended AFTER UPDATE OF completed, failed, expired, cancelled ON batches BEGIN
    UPDATE totals SET completed = completed + new.completed - old.completed, failed = failed + new.failed - old.failed,
      expired = expired + new.expired - old.expired, cancelled = cancelled + new.cancelled - old.cancelled,
      input_tokens = input_tokens + new.input_tokens - old.input_tokens,
      output_tokens = output_tokens + new.output_tokens - old.output_tokens;
  END;

  -- custom: a hash of custom_id. state: 0 pending, 1 done, 2 failed, 3 expired, 4 cancelled.
  CREATE TABLE lines (
    batch INTEGER NOT NULL, line INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    custom BLOB NOT NULL, sort BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, line)) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX lines_by_custom ON lines (batch, custom);
  CREATE INDEX lines_in_order ON lines (batch, state, sort, line);`,
];

/** Within a transaction. Throws a StoreError for the database of a newer version. */
export function migrate(db: DatabaseSync, file: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version > migrations.length) {
    throw new StoreError(
      `${file} was written by a newer version of llama-corral (schema ${version}, this version knows ${migrations.length}): ` +
        'use that version, or move the file away together with the folder "files" to begin anew',
    );
  }
  for (const step of migrations.slice(version)) db.exec(step);
  if (version < migrations.length) db.exec(`PRAGMA user_version = ${migrations.length}`);
}
