import type { SQLInputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentFolder } from './content-folder.ts';
import type { Database, Row } from './database.ts';
import { type Files, isRead } from './files.ts';
import { now } from './ids.ts';
import type { Removal } from './removal.ts';
import type { Reserve } from './reserve.ts';
import type { ResponseEvents } from './response-events.ts';
import type { ResponseParts } from './response-parts.ts';
import { inSlices, SLICE } from './slices.ts';

/** What was removed. */
export interface Removed {
  readonly files: number;
  readonly batches: number;
  readonly responses: number;
  readonly conversations: number;
}

/** What is to be removed: everything, or only what is of one owner, or was created before a time. */
export interface PurgeScope {
  readonly owner?: string | undefined;
  /**
   * Seconds since 1970. Batches and responses that have not ended then stay, with the files that they read, and so do
   * conversations that were used since.
   */
  readonly before?: number | undefined;
}

/** How long the events of a response are kept after its end, in seconds. */
const EVENT_RETENTION = 60 * 60;

/** Each has hundreds of events. */
const RESPONSES_AT_ONCE = 20;

/** An upload adds to its content at least so often, in seconds. What nobody adds to is left over from a crash. */
const LONGEST_UPLOAD_PAUSE = 60 * 60;

/** Removes what has expired, and what somebody wants to be gone: piece by piece, so that its process and others go on meanwhile. */
export class Retention {
  readonly #db: Database;
  readonly #contents: ContentFolder;
  readonly #files: Files;
  readonly #removal: Removal;
  readonly #reserve: Reserve;
  readonly #events: ResponseEvents;
  readonly #retention: number;

  constructor(db: Database, contents: ContentFolder, files: Files, parts: ResponseParts, retention: number) {
    this.#db = db;
    this.#contents = contents;
    this.#files = files;
    this.#removal = parts.removal;
    this.#reserve = parts.reserve;
    this.#events = parts.events;
    this.#retention = retention;
  }

  /** Removes what has expired, and content that a crash has left behind. */
  async sweep(at = now()): Promise<Removed> {
    const removed = await this.#reserve.deletingMuch(() => this.#sweep(at));
    this.#reserve.refill();
    return removed;
  }

  async #sweep(at: number): Promise<Removed> {
    this.#files.markDeleted('coalesce(expires_at, created_at + ?) <= ?', [this.#retention, at]);
    const batches = this.#db.run(
      `DELETE FROM batches WHERE ended = 1
         AND coalesce(completed_at, failed_at, expired_at, cancelled_at) <= ?`,
      at - this.#retention,
    );
    const files = await this.#removeDeleted();
    await this.#removeOrphans(at);
    await this.#dropEvents(at - EVENT_RETENTION);
    const before = [at - this.#retention];
    const responses = await this.#removal.deleteResponses('ended = 1 AND created_at <= ?', before);
    const conversations = await this.#removal.deleteConversations('used_at <= ?', before);
    // The log still has what was deleted from the database.
    this.#db.checkpoint();
    return { files, batches, responses, conversations };
  }

  /** What a purge would remove, and the bytes of files and results. */
  preview(scope: PurgeScope): Removed & { readonly bytes: number } {
    const all = scopeOf(scope);
    const ended = scopeOf(scope, { onlyEnded: true });
    const { files, bytes } = this.#find(
      `SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes FROM files
       WHERE deleted = 0 AND ${all.condition} AND (? OR NOT ${isRead})`,
      ...[...all.values, scope.before === undefined ? 1 : 0],
    );
    const { batches, results } = this.#find(
      `SELECT count(*) AS batches, coalesce(sum(iif(ended, 0, output_size + error_size)), 0) AS results
       FROM batches WHERE ${ended.condition}`,
      ...ended.values,
    );
    const { responses } = this.#find(
      `SELECT count(*) AS responses FROM responses WHERE deleted = 0 AND ${ended.condition}`,
      ...ended.values,
    );
    const used = scopeOf(scope, { time: 'used_at' });
    const { conversations } = this.#find(
      `SELECT count(*) AS conversations FROM conversations WHERE deleted = 0 AND ${used.condition}`,
      ...used.values,
    );
    return {
      ...{ files: Number(files), batches: Number(batches) },
      ...{ responses: Number(responses), conversations: Number(conversations) },
      bytes: Number(bytes) + Number(results),
    };
  }

  /** The runner stops the batches that it then does not find any more. */
  purge(scope: PurgeScope): Promise<Removed> {
    return this.#reserve.deletingMuch(() => this.#purge(scope));
  }

  async #purge(scope: PurgeScope): Promise<Removed> {
    const all = scopeOf(scope);
    const ended = scopeOf(scope, { onlyEnded: true });
    const batches = this.#db.transaction(() => {
      const removed = this.#db.all(
        `DELETE FROM batches WHERE ${ended.condition} RETURNING n, output_file, error_file`,
        ...ended.values,
      );
      for (const { n } of removed) this.#db.run('DELETE FROM lines WHERE batch = ?', n ?? null);
      this.#files.markDeleted(all.condition, all.values);
      return removed;
    });
    const files = await this.#removeDeleted();
    for (const batch of batches) this.#removeUnrecorded(batch);
    const { owner = null, before } = scope;
    if (before === undefined) this.#db.run('DELETE FROM gone WHERE ? IS NULL OR owner = ?', owner, owner);
    return { files, batches: batches.length, ...(await this.#purgeResponses(scope)) };
  }

  /** Only responses and conversations. Those that are being generated are stopped. */
  purgeResponses(scope: PurgeScope): Promise<Pick<Removed, 'responses' | 'conversations'>> {
    return this.#reserve.deletingMuch(() => this.#purgeResponses(scope));
  }

  async #purgeResponses(scope: PurgeScope): Promise<Pick<Removed, 'responses' | 'conversations'>> {
    const ended = scopeOf(scope, { onlyEnded: true });
    const responses = await this.#removal.deleteResponses(ended.condition, ended.values);
    const used = scopeOf(scope, { time: 'used_at' });
    const conversations = await this.#removal.deleteConversations(used.condition, used.values);
    await inSlices(() => this.#db.shrink());
    this.#db.checkpoint();
    return { responses, conversations };
  }

  #find(sql: string, ...values: readonly SQLInputValue[]): Row {
    return this.#db.get(sql, ...values) ?? {};
  }

  async #removeDeleted(): Promise<number> {
    for (let sum = 0; ; await nextTurn()) {
      const removed = this.#files.removeDeleted();
      if (removed === 0) return sum;
      sum += removed;
    }
  }

  async #dropEvents(endedBefore: number): Promise<void> {
    await inSlices(() => this.#db.transaction(() => this.#dropSomeEvents(endedBefore)));
  }

  /** Whether there may be more. */
  #dropSomeEvents(endedBefore: number): boolean {
    const rows = this.#db.all(
      `SELECT n FROM responses WHERE has_events = 1 AND ended_at <= ? LIMIT ${RESPONSES_AT_ONCE}`,
      endedBefore,
    );
    for (const { n = null } of rows) {
      this.#events.drop(Number(n));
      this.#db.run('UPDATE responses SET has_events = 0 WHERE n = ?', n);
    }
    return rows.length > 0;
  }

  /** The results of a batch that had not ended. Those of others are files. */
  #removeUnrecorded({ output_file, error_file }: Row): void {
    for (const id of [String(output_file), String(error_file)]) {
      if (!this.#isKnown(id)) this.#contents.remove(id);
    }
  }

  async #removeOrphans(at: number): Promise<void> {
    for (const [index, id] of this.#contents.ids().entries()) {
      if (index % SLICE === 0) await nextTurn();
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

/**
 * The condition of SQL for the rows of a scope, and its parameters. `onlyEnded`: those that have not ended are not in a scope
 * that has a time.
 */
function scopeOf(
  { owner, before }: PurgeScope,
  { time = 'created_at', onlyEnded = false } = {},
): { readonly condition: string; readonly values: readonly SQLInputValue[] } {
  // Only what is asked for, so that the index by owner is used.
  const conditions = [
    ...(owner === undefined ? [] : ['owner = ?']),
    ...(before === undefined ? [] : [`${time} < ?`]),
    ...(before === undefined || !onlyEnded ? [] : ['ended = 1']),
  ];
  const values = [owner, before].filter((value) => value !== undefined);
  return { condition: conditions.join(' AND ') || 'true', values };
}
