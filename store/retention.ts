import type { ContentFolder } from './content-folder.ts';
import type { Database, Row } from './database.ts';
import type { Files } from './files.ts';
import { now } from './ids.ts';

/** What was removed. */
export interface Removed {
  readonly files: number;
  readonly batches: number;
}

/** What is to be removed: everything, or only what is of one owner, or was created before a time. */
export interface PurgeScope {
  readonly owner?: string | undefined;
  /** Seconds since 1970. Batches that have not ended then stay, with the files that they read. */
  readonly before?: number | undefined;
}

/** An upload adds to its content at least so often, in seconds. What nobody adds to is left over from a crash. */
const LONGEST_UPLOAD_PAUSE = 60 * 60;

/** Removes what has expired, and what somebody wants to be gone. */
export class Retention {
  readonly #db: Database;
  readonly #contents: ContentFolder;
  readonly #files: Files;
  readonly #retention: number;

  constructor(db: Database, contents: ContentFolder, files: Files, retention: number) {
    this.#db = db;
    this.#contents = contents;
    this.#files = files;
    this.#retention = retention;
  }

  /** Removes expired files, batches that ended before the retention, and content that a crash has left behind. */
  sweep(at = now()): Removed {
    this.#files.markDeleted('coalesce(expires_at, created_at + ?) <= ?', [this.#retention, at]);
    const batches = this.#db.run(
      `DELETE FROM batches WHERE ended = 1
         AND coalesce(completed_at, failed_at, expired_at, cancelled_at) <= ?`,
      at - this.#retention,
    );
    const files = this.#files.removeDeleted();
    this.#removeOrphans(at);
    return { files, batches };
  }

  /** The runner stops the batches that it then does not find any more. */
  purge({ owner, before }: PurgeScope): Removed {
    const scope = [owner ?? null, owner ?? null, before ?? null, before ?? null];
    const isInScope = '(? IS NULL OR owner = ?) AND (? IS NULL OR created_at < ?)';
    const batches = this.#db.transaction(() => {
      const removed = this.#db.all(
        `DELETE FROM batches WHERE ${isInScope} AND (ended = 1 OR ?) RETURNING n, output_file, error_file`,
        ...[...scope, before === undefined ? 1 : 0],
      );
      for (const { n } of removed) this.#db.run('DELETE FROM lines WHERE batch = ?', n ?? null);
      this.#files.markDeleted(isInScope, scope);
      return removed;
    });
    const files = this.#files.removeDeleted();
    for (const batch of batches) this.#removeUnrecorded(batch);
    this.#db.checkpoint();
    return { files, batches: batches.length };
  }

  /** The results of a batch that had not ended. Those of others are files. */
  #removeUnrecorded({ output_file, error_file }: Row): void {
    for (const id of [String(output_file), String(error_file)]) {
      if (!this.#isKnown(id)) this.#contents.remove(id);
    }
  }

  #removeOrphans(at: number): void {
    for (const id of this.#contents.ids()) {
      const changedAt = this.#contents.changedAt(id) ?? at;
      if (changedAt < at - LONGEST_UPLOAD_PAUSE && !this.#isKnown(id)) this.#contents.remove(id);
    }
  }

  #isKnown(id: string): boolean {
    const row = this.#db.get(
      `SELECT 1 FROM files WHERE id = ?
       UNION ALL SELECT 1 FROM batches WHERE ended = 0 AND (output_file = ? OR error_file = ?)`,
      ...[id, id, id],
    );
    return row !== undefined;
  }
}
