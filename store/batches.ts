import {
  type Batch,
  type BatchError,
  type BatchStatus,
  type Dialect,
  hasEnded,
  mayFollow,
  toBatch,
} from './batch.ts';
import type { Line, LineResult, NewLine } from './batch-line.ts';
import type { StoreConfig } from './config.ts';
import type { ContentFolder } from './content-folder.ts';
import type { Database, Row } from './database.ts';
import type { Files } from './files.ts';
import { newId, now } from './ids.ts';
import { type LineFilter, Lines } from './lines.ts';
import { behind, findPlace, nextNumber } from './list-place.ts';
import type { Reserve } from './reserve.ts';
import { ResultWriter, resultFiles } from './result-writer.ts';

/** A batch must end within this time, in seconds. */
const COMPLETION_WINDOW = 24 * 60 * 60;

export interface NewBatch {
  readonly owner: string;
  readonly user?: string | undefined;
  readonly dialect: Dialect;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfter: number | null;
  /** How many lines there are, if that is known before they are read. */
  readonly lines?: number;
  /** The same key with the same digest of the request creates nothing, but returns the batch from before. */
  readonly idempotencyKey?: string | undefined;
  readonly requestDigest?: string | undefined;
}

export type CreatedBatch =
  | { readonly batch: Batch; readonly created: boolean }
  | 'idempotency-conflict'
  | 'unknown-file'
  | 'too-many';

export interface BatchQuery {
  /** The id of the batch before the first one, in the order of the list: newest first. */
  readonly after?: string | undefined;
  /** The id of the batch behind the last one. Only one of the two. */
  readonly before?: string | undefined;
  readonly limit: number;
  readonly dialect?: Dialect | undefined;
}

export interface BatchPage {
  readonly batches: readonly Batch[];
  readonly hasMore: boolean;
}

/** What the runner finds out. */
export interface BatchChanges {
  readonly model?: string;
  readonly errors?: readonly BatchError[];
  /** Null: it makes progress again. */
  readonly reason?: string | null;
}

/** The batches of all owners: the first methods are for their owners, the others for the runner. */
export class Batches {
  readonly #db: Database;
  readonly #files: Files;
  readonly #contents: ContentFolder;
  readonly #lines: Lines;
  readonly #results: ResultWriter;
  readonly #reserve: Reserve;
  /** The most batches of one owner that have not ended. */
  readonly #mostOpen: number;

  constructor(
    db: Database,
    files: Files,
    contents: ContentFolder,
    reserve: Reserve,
    { key, maxBatchesPerKey }: StoreConfig,
  ) {
    this.#db = db;
    this.#files = files;
    this.#contents = contents;
    this.#reserve = reserve;
    this.#lines = new Lines(db, key);
    this.#results = new ResultWriter(db, contents);
    this.#mostOpen = maxBatchesPerKey === 0 ? Number.POSITIVE_INFINITY : maxBatchesPerKey;
  }

  create(batch: NewBatch): CreatedBatch {
    return this.#db.transaction(() => {
      const known = this.#findByIdempotencyKey(batch);
      if (known !== undefined) {
        return known.request_digest === (batch.requestDigest ?? null)
          ? { batch: toBatch(known), created: false }
          : 'idempotency-conflict';
      }
      if (this.#files.get(batch.owner, batch.inputFileId) === undefined) return 'unknown-file';
      if (this.#countOpen(batch.owner) >= this.#mostOpen) return 'too-many';
      return { batch: toBatch(this.#insert(batch)), created: true };
    });
  }

  /** Whether `create` would find a batch from before. */
  hasIdempotencyKey(owner: string, idempotencyKey: string): boolean {
    return this.#findByIdempotencyKey({ owner, idempotencyKey }) !== undefined;
  }

  get(owner: string, id: string): Batch | undefined {
    const row = this.#db.get('SELECT * FROM batches WHERE id = ? AND owner = ?', id, owner);
    return row && toBatch(row);
  }

  list(owner: string, { after, before, limit, dialect }: BatchQuery): BatchPage | 'unknown-after' {
    const edge = after ?? before;
    const place = edge === undefined ? undefined : findPlace(this.#db, 'batches', owner, edge);
    if (edge !== undefined && place === undefined) return 'unknown-after';
    const backwards = before !== undefined;
    const order = backwards ? 'asc' : 'desc';
    const [isBehind, numbers] = behind(place, order);
    const rows = this.#db.all(
      `SELECT * FROM batches WHERE owner = ? AND ${isBehind} AND (? IS NULL OR dialect = ?)
       ORDER BY n ${order} LIMIT ?`,
      ...[owner, ...numbers, dialect ?? null, dialect ?? null, limit + 1],
    );
    const page = rows.slice(0, limit).map(toBatch);
    return { batches: backwards ? page.reverse() : page, hasMore: rows.length > limit };
  }

  /** The batch is then `cancelling`, unless it has ended before. */
  requestCancel(owner: string, id: string): Batch | undefined {
    const batch = this.get(owner, id);
    const cancel = () => this.transition(id, 'cancelling');
    return batch && (this.#reserve.deleting(cancel) ?? this.get(owner, id));
  }

  /**
   * Removes a batch that has ended, with its results, and the requests of a message batch: their file is not the owner's doing.
   * Whether there was one.
   */
  delete(owner: string, id: string): boolean {
    return this.#reserve.deleting(() => this.#delete(owner, id));
  }

  #delete(owner: string, id: string): boolean {
    const isGone = this.#db.transaction(() => {
      const batch = this.#db.get(
        `DELETE FROM batches WHERE id = ? AND owner = ? AND ended = 1
         RETURNING output_file, error_file, iif(dialect = 'anthropic', input_file, NULL) AS requests`,
        ...[id, owner],
      );
      if (batch === undefined) return false;
      const { output_file = null, error_file = null, requests = null } = batch;
      this.#files.markDeleted('id IN (?, ?, ?)', [output_file, error_file, requests]);
      return true;
    });
    this.#files.removeDeleted();
    return isGone;
  }

  /** All that have not ended, oldest first. */
  open(): Batch[] {
    return this.#db.all('SELECT * FROM batches WHERE ended = 0 ORDER BY n').map(toBatch);
  }

  /**
   * Changes the status, sets the time of it, and makes files of the results when the batch ends. Undefined if the batch is
   * gone, or if this status may not follow its current one, such as `in_progress` when a cancel was requested.
   */
  transition(id: string, status: BatchStatus, changes: BatchChanges = {}): Batch | undefined {
    const batch = this.#db.transaction(() => {
      const row = this.#db.get('SELECT * FROM batches WHERE id = ?', id);
      if (row === undefined || !mayFollow(row.status as BatchStatus, status)) return undefined;
      this.update(id, { reason: null, ...changes });
      this.#db.run(
        `UPDATE batches SET status = ?, ended = ?, ${status}_at = ? WHERE n = ?`,
        ...[status, hasEnded(status) ? 1 : 0, now(), row.n ?? null],
      );
      if (hasEnded(status)) this.#end(row);
      return this.#db.get('SELECT * FROM batches WHERE n = ?', row.n ?? null);
    });
    if (batch === undefined) return undefined;
    if (batch.ended === 1) this.#files.removeDeleted();
    return toBatch(batch);
  }

  update(id: string, { model, errors, reason }: BatchChanges): void {
    if (model !== undefined) this.#db.run('UPDATE batches SET model = ? WHERE id = ?', model, id);
    if (reason !== undefined)
      this.#db.run('UPDATE batches SET reason = ? WHERE id = ? AND ended = 0', reason, id);
    if (errors !== undefined)
      this.#db.run('UPDATE batches SET errors = ? WHERE id = ?', JSON.stringify(errors), id);
  }

  /** In one transaction, so add thousands at a time. Returns the numbers of the lines whose custom id was there before. */
  addLines(id: string, lines: readonly NewLine[]): number[] {
    return this.#lines.add(id, lines);
  }

  /** Removes all lines, to validate the file anew. */
  clearLines(id: string): void {
    this.#lines.clear(id);
  }

  /** The first lines without result in the order of their sort keys. */
  nextLines(id: string, limit: number, filter?: LineFilter): Line[] {
    return this.#lines.next(id, limit, filter);
  }

  /** The models of the lines without result; null is that of the batch. */
  modelsOfLines(id: string): (string | null)[] {
    return this.#lines.models(id);
  }

  /**
   * Resolves when the results are durable. Calls may overlap: results that arrive during a commit share the next one.
   * Results of lines that have ended before, or of a batch that is gone, are dropped.
   */
  finishLines(id: string, results: readonly LineResult[]): Promise<void> {
    return this.#results.finish(id, results);
  }

  /** Removes from the result files what was written but not recorded when the runner was killed. */
  recover(): void {
    for (const row of this.#db.all('SELECT * FROM batches WHERE ended = 0')) {
      const { output, error } = resultFiles(row);
      for (const { id, stored } of [output, error]) this.#contents.truncate(id, stored);
    }
  }

  #insert(batch: NewBatch): Row {
    const at = now();
    const row = this.#db.get(
      `INSERT INTO batches (n, id, owner, dialect, endpoint, input_file, metadata, output_expires_after,
         idempotency_key, request_digest, total, status, created_at, expires_at, output_file, error_file, user)
       VALUES (${nextNumber('batches')}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'validating', ?, ?, ?, ?, ?) RETURNING *`,
      ...[newId('batch_'), batch.owner, batch.dialect, batch.endpoint, batch.inputFileId],
      ...[batch.metadata && JSON.stringify(batch.metadata), batch.outputExpiresAfter],
      ...[batch.idempotencyKey ?? null, batch.requestDigest ?? null, batch.lines ?? 0],
      ...[at, at + COMPLETION_WINDOW, newId('file-'), newId('file-'), batch.user ?? null],
    );
    return row as Row;
  }

  #countOpen(owner: string): number {
    return Number(
      this.#db.get('SELECT count(*) AS count FROM batches WHERE ended = 0 AND owner = ?', owner)?.count,
    );
  }

  #findByIdempotencyKey({
    owner,
    idempotencyKey,
  }: Pick<NewBatch, 'owner' | 'idempotencyKey'>): Row | undefined {
    if (idempotencyKey === undefined) return undefined;
    return this.#db.get(
      'SELECT * FROM batches WHERE owner = ? AND idempotency_key = ?',
      owner,
      idempotencyKey,
    );
  }

  /** Within the transaction that ends the batch. */
  #end(row: Row): void {
    this.#db.run('DELETE FROM lines WHERE batch = ?', row.n ?? null);
    const expiresAt = row.output_expires_after === null ? null : now() + Number(row.output_expires_after);
    const { output, error } = resultFiles(row);
    for (const [kind, { id, size }] of Object.entries({ output, error })) {
      if (size === 0) continue;
      this.#db.run(
        `INSERT INTO files (n, id, owner, filename, purpose, bytes, created_at, expires_at, appended)
         VALUES (${nextNumber('files')}, ?, ?, ?, 'batch_output', ?, ?, ?, 1)`,
        ...[id, row.owner ?? null, `${row.id}_${kind}.jsonl`, size, now(), expiresAt],
      );
    }
  }
}
