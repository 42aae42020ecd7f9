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

  `-- Each item is stored once. Several may have the same id: clients choose those of their input.
  CREATE TABLE items (
    n INTEGER PRIMARY KEY, owner TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL) STRICT;
  CREATE INDEX items_by_id ON items (owner, id);

  -- previous, conversation: row numbers. place: of the first item of the conversation that came later.
  -- deleted: 1 while other responses continue it, 2 if its rows are to be removed. object: as sent, without its output.
  -- request: until it has ended. first_event: all events before it are gone.
  CREATE TABLE responses (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    previous INTEGER, conversation INTEGER, place INTEGER,
    status TEXT NOT NULL, ended INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
    background INTEGER NOT NULL, stream INTEGER NOT NULL, model TEXT NOT NULL,
    created_at INTEGER NOT NULL, ended_at INTEGER, restarts INTEGER NOT NULL DEFAULT 0,
    first_event INTEGER NOT NULL DEFAULT 0, has_events INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT, request_digest TEXT, object BLOB, request BLOB) STRICT;
  CREATE INDEX responses_by_owner ON responses (owner, n) WHERE deleted = 0;
  CREATE INDEX responses_by_age ON responses (created_at) WHERE deleted = 0;
  CREATE INDEX responses_by_previous ON responses (previous) WHERE previous IS NOT NULL;
  CREATE INDEX responses_by_conversation ON responses (conversation) WHERE conversation IS NOT NULL;
  CREATE INDEX open_responses ON responses (n) WHERE ended = 0;
  CREATE INDEX background_responses ON responses (status) WHERE background = 1 AND deleted = 0;
  CREATE INDEX responses_with_events ON responses (ended_at) WHERE has_events = 1;
  CREATE INDEX responses_to_remove ON responses (n) WHERE deleted = 2;
  CREATE UNIQUE INDEX responses_by_idempotency_key ON responses (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

  -- Its own items: first those of its input, then those of its output.
  CREATE TABLE response_items (
    response INTEGER NOT NULL, place INTEGER NOT NULL, item INTEGER NOT NULL, output INTEGER NOT NULL,
    PRIMARY KEY (response, place)) STRICT, WITHOUT ROWID;
  CREATE INDEX response_items_by_item ON response_items (item);

  -- content: a list of numbers and texts.
  CREATE TABLE response_events (
    response INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (response, last)) STRICT, WITHOUT ROWID;

  -- deleted: as that of a response. next_place: no place is used twice.
  CREATE TABLE conversations (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    created_at INTEGER NOT NULL, used_at INTEGER NOT NULL, next_place INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0, metadata BLOB) STRICT;
  CREATE INDEX conversations_by_owner ON conversations (owner, n) WHERE deleted = 0;
  CREATE INDEX conversations_by_use ON conversations (used_at) WHERE deleted = 0;
  CREATE INDEX conversations_to_remove ON conversations (n) WHERE deleted = 2;

  CREATE TABLE conversation_items (
    conversation INTEGER NOT NULL, place INTEGER NOT NULL, item INTEGER NOT NULL,
    PRIMARY KEY (conversation, place)) STRICT, WITHOUT ROWID;
  CREATE INDEX conversation_items_by_item ON conversation_items (item);

  CREATE TABLE response_usage (
    owner TEXT PRIMARY KEY, responses INTEGER NOT NULL, conversations INTEGER NOT NULL,
    bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
    INSERT INTO response_usage VALUES (new.owner, 0, 0, length(new.content))
      ON CONFLICT DO UPDATE SET bytes = bytes + length(new.content);
  END;
  CREATE TRIGGER item_removed AFTER DELETE ON items BEGIN
    UPDATE response_usage SET bytes = bytes - length(old.content) WHERE owner = old.owner;
    DELETE FROM response_usage WHERE owner = old.owner AND bytes = 0;
  END;
  CREATE TRIGGER response_added AFTER INSERT ON responses BEGIN
    INSERT INTO response_usage VALUES (new.owner, 1, 0, length(new.object) + coalesce(length(new.request), 0))
      ON CONFLICT DO UPDATE SET responses = responses + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER response_changed AFTER UPDATE OF object, request, deleted ON responses BEGIN
    UPDATE response_usage SET responses = responses + (new.deleted = 0) - (old.deleted = 0), bytes = bytes
      + coalesce(length(new.object), 0) + coalesce(length(new.request), 0)
      - coalesce(length(old.object), 0) - coalesce(length(old.request), 0) WHERE owner = old.owner;
    DELETE FROM response_usage WHERE owner = old.owner AND bytes = 0;
  END;
  CREATE TRIGGER events_added AFTER INSERT ON response_events BEGIN
    UPDATE response_usage SET bytes = bytes + length(new.content)
      WHERE owner = (SELECT owner FROM responses WHERE n = new.response);
  END;
  CREATE TRIGGER events_removed AFTER DELETE ON response_events BEGIN
    UPDATE response_usage SET bytes = bytes - length(old.content)
      WHERE owner = (SELECT owner FROM responses WHERE n = old.response);
  END;
  CREATE TRIGGER conversation_added AFTER INSERT ON conversations BEGIN
    INSERT INTO response_usage VALUES (new.owner, 0, 1, length(new.metadata))
      ON CONFLICT DO UPDATE SET conversations = conversations + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER conversation_changed AFTER UPDATE OF metadata, deleted ON conversations BEGIN
    UPDATE response_usage SET conversations = conversations + (new.deleted = 0) - (old.deleted = 0),
      bytes = bytes + coalesce(length(new.metadata), 0) - coalesce(length(old.metadata), 0) WHERE owner = old.owner;
    DELETE FROM response_usage WHERE owner = old.owner AND bytes = 0;
  END;`,
  `-- Where files and batches that are gone had their place: a list can go on behind them. Only the newest are kept.
  CREATE TABLE gone (
    nth INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, n INTEGER NOT NULL) STRICT;
  CREATE INDEX gone_by_number ON gone (n);
  CREATE TRIGGER file_gone AFTER DELETE ON files BEGIN
    INSERT INTO gone (id, owner, n) VALUES (old.id, old.owner, old.n);
    DELETE FROM gone WHERE nth <= (SELECT max(nth) FROM gone) - 20000;
  END;
  CREATE TRIGGER batch_gone AFTER DELETE ON batches BEGIN
    INSERT INTO gone (id, owner, n) VALUES (old.id, old.owner, old.n);
    DELETE FROM gone WHERE nth <= (SELECT max(nth) FROM gone) - 20000;
  END;`,

  `-- The same for items that were removed from conversations.
  CREATE TABLE gone_items (
    nth INTEGER PRIMARY KEY, conversation TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL) STRICT;
  CREATE INDEX gone_items_by_id ON gone_items (conversation, id);
  CREATE TRIGGER conversation_gone AFTER DELETE ON conversations BEGIN
    DELETE FROM gone_items WHERE conversation = old.id;
  END;`,

  `-- A hash of what is stored, without an id that we chose. Of response_items, output may be 2: a part of the object.
  ALTER TABLE items ADD COLUMN digest BLOB;
  CREATE INDEX items_by_digest ON items (owner, digest);`,

  `-- Which user of its owner has created it; NULL for none.
  ALTER TABLE batches ADD COLUMN user TEXT;
  ALTER TABLE responses ADD COLUMN user TEXT;`,

  `-- The model of a line; NULL is that of its batch.
  ALTER TABLE lines ADD COLUMN model TEXT;`,
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
