import type { SQLInputValue } from 'node:sqlite';
import { Readable } from 'node:stream';
import type { StoreConfig } from './config.ts';
import type { ContentFolder } from './content-folder.ts';
import { type Content, type Range, readPieces } from './content-reader.ts';
import type { Database, Row } from './database.ts';
import { ContentError, StoreLimitExceeded } from './errors.ts';
import { type FileChanges, FileWriter } from './file-writer.ts';
import { newId, now } from './ids.ts';
import { behind, findPlace, nextNumber } from './list-place.ts';
import type { Quota } from './quota.ts';
import type { Reserve } from './reserve.ts';
import { SLICE } from './slices.ts';
import { fileColumns, type StoredFile, toStoredFile } from './stored-file.ts';

export interface NewFile {
  readonly owner: string;
  readonly filename: string;
  readonly purpose: string;
  /** Null: at the end of the retention. */
  readonly expiresAt: number | null;
  /** The largest size in bytes, if it is less than that of all files. */
  readonly limit?: number;
}

export interface FileQuery {
  /** The id of the file before the first one. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly purpose?: string | undefined;
}

export interface FilePage {
  readonly files: readonly StoredFile[];
  readonly hasMore: boolean;
}

/** A condition of SQL: whether an unfinished batch reads a file. */
export const isRead = 'EXISTS (SELECT 1 FROM batches WHERE input_file = files.id AND ended = 0)';
const isVisible = 'deleted = 0 AND coalesce(expires_at, created_at + ?) > ?';

/** The files of all owners. An owner sees only those of its own that are neither deleted nor expired. */
export class Files {
  readonly #db: Database;
  readonly #contents: ContentFolder;
  readonly #quota: Quota;
  readonly #reserve: Reserve;
  readonly #config: StoreConfig;

  constructor(db: Database, contents: ContentFolder, quota: Quota, reserve: Reserve, config: StoreConfig) {
    this.#db = db;
    this.#contents = contents;
    this.#quota = quota;
    this.#reserve = reserve;
    this.#config = config;
  }

  /** Throws StoreLimitExceeded if nothing more may be stored, or StoreUnavailable. */
  async create(file: NewFile): Promise<FileWriter> {
    this.#quota.reserve(file.owner, 0);
    const id = newId('file-');
    const most = Math.min(file.limit ?? Number.POSITIVE_INFINITY, this.#config.maxFileSize);
    return new FileWriter(await this.#contents.create(id), {
      id,
      contents: this.#contents,
      reserve: (bytes, size) => {
        if (size > most) throw new StoreLimitExceeded('file', most);
        this.#quota.reserve(file.owner, bytes);
      },
      record: (bytes, changes) => this.#record(id, { ...file, ...changes }, bytes),
      release: (bytes) => this.#quota.release(file.owner, bytes),
    });
  }

  get(owner: string, id: string): StoredFile | undefined {
    const { retention } = this.#config;
    const row = this.#db.get(
      `SELECT ${fileColumns} FROM files WHERE id = ? AND owner = ? AND ${isVisible}`,
      ...[retention, id, owner, retention, now()],
    );
    return row && toStoredFile(row);
  }

  list(owner: string, { after, limit, order, purpose }: FileQuery): FilePage | 'unknown-after' {
    const { retention } = this.#config;
    const place = after === undefined ? undefined : findPlace(this.#db, 'files', owner, after);
    if (after !== undefined && place === undefined) return 'unknown-after';
    const [isBehind, numbers] = behind(place, order);
    const rows = this.#db.all(
      `SELECT ${fileColumns} FROM files
       WHERE owner = ? AND ${isVisible} AND ${isBehind} AND (? IS NULL OR purpose = ?) ORDER BY n ${order} LIMIT ?`,
      ...[retention, owner, retention, now(), ...numbers, purpose ?? null, purpose ?? null, limit + 1],
    );
    return { files: rows.slice(0, limit).map(toStoredFile), hasMore: rows.length > limit };
  }

  /** Whether there was such a file. An unfinished batch that reads it can still do so. */
  delete(owner: string, id: string): boolean {
    if (this.get(owner, id) === undefined) return false;
    this.#reserve.deleting(() => {
      this.markDeleted('id = ?', [id]);
      this.removeDeleted();
    });
    return true;
  }

  /** Marks all files of which a condition of SQL is true. They are gone for their owners; `removeDeleted` has to follow. */
  markDeleted(condition: string, values: readonly SQLInputValue[]): void {
    this.#db.run(`UPDATE files SET deleted = 1 WHERE deleted = 0 AND (${condition})`, ...values);
  }

  /**
   * Removes what was deleted and is not read any more, or a part of it if it is much. Returns how many. Not within a transaction,
   * because that may be rolled back.
   */
  removeDeleted(): number {
    const rows = this.#db.all(
      `DELETE FROM files WHERE n IN
         (SELECT n FROM files WHERE deleted = 1 AND NOT ${isRead} LIMIT ${SLICE}) RETURNING id`,
    );
    for (const { id } of rows) this.#contents.remove(String(id));
    return rows.length;
  }

  /**
   * The content, decrypted, as a stream; it fails with a ContentError. Ask `get` first whether the owner may have it.
   * A deleted file can be read while an unfinished batch needs it.
   */
  read(id: string, range: Range = { offset: 0, length: Number.POSITIVE_INFINITY }): Readable {
    return Readable.from(this.#pieces(id, range), { objectMode: false });
  }

  /** A part of the content that fits into memory. */
  async readBytes(id: string, range: Range): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(this.#pieces(id, range)));
  }

  async *#pieces(id: string, range: Range): AsyncGenerator<Buffer> {
    const content = this.#find(id);
    const handle = await this.#contents.openForReading(id).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new ContentError(`${id} is missing on disk`, { cause: error }) : error;
    });
    try {
      yield* readPieces(handle, content, range);
    } finally {
      await handle.close();
    }
  }

  #find(id: string): Content {
    const row = this.#db.get('SELECT bytes, appended FROM files WHERE id = ?', id);
    if (row === undefined) throw new ContentError(`there is no ${id}`);
    return {
      id,
      bytes: Number(row.bytes),
      appended: row.appended === 1,
      cipher: this.#contents.cipherFor(id),
    };
  }

  #record(id: string, file: NewFile & FileChanges, bytes: number): StoredFile {
    const { owner, filename, purpose, expiresAfter } = file;
    const at = now();
    const expiresAt = expiresAfter === undefined ? file.expiresAt : at + expiresAfter;
    const row = this.#db.get(
      `INSERT INTO files (n, id, owner, filename, purpose, bytes, created_at, expires_at, appended)
       VALUES (${nextNumber('files')}, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING ${fileColumns}`,
      ...[id, owner, filename, purpose, bytes, at, expiresAt, this.#config.retention],
    );
    return toStoredFile(row as Row);
  }
}
