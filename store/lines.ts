import type { Line, NewLine } from './batch-line.ts';
import type { Database, Row } from './database.ts';
import { keyedHash } from './frame-cipher.ts';

const CUSTOM_ID_HASH = 16;

/** The lines of unfinished batches. The database has no text of them: neither prompts nor custom ids. */
export class Lines {
  readonly #db: Database;
  readonly #storeKey: Buffer | undefined;

  constructor(db: Database, storeKey: Buffer | undefined) {
    this.#db = db;
    this.#storeKey = storeKey;
  }

  /** In one transaction, so add thousands at a time. Returns the numbers of the lines whose custom id was there before. */
  add(batchId: string, lines: readonly NewLine[]): number[] {
    return this.#db.transaction(() => {
      const n = this.#findBatch(batchId);
      if (n === undefined) return [];
      const duplicates = lines.filter((line) => !this.#insert(n, line)).map(({ number }) => number);
      this.#db.run(
        'UPDATE batches SET total = max(total, (SELECT count(*) FROM lines WHERE batch = n)) WHERE n = ?',
        n,
      );
      return duplicates;
    });
  }

  /** Removes all lines, to validate the file anew. */
  clear(batchId: string): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM lines WHERE batch = (SELECT n FROM batches WHERE id = ?)', batchId);
      // The requests of a message batch were counted when it was created.
      this.#db.run("UPDATE batches SET total = 0 WHERE id = ? AND dialect = 'openai'", batchId);
    });
  }

  /** The first lines without result in the order of their sort keys, behind `after` if that is given. */
  next(batchId: string, limit: number, after?: Pick<Line, 'number' | 'sortKey'>): Line[] {
    const n = this.#findBatch(batchId);
    if (n === undefined) return [];
    const [where, values] =
      after === undefined ? ['', []] : ['AND (sort, line) > (?, ?)', [after.sortKey, after.number]];
    return this.#db
      .all(
        `SELECT line, offset, length, sort FROM lines WHERE batch = ? AND state = 0 ${where}
         ORDER BY sort, line LIMIT ?`,
        ...[n, ...values, limit],
      )
      .map(toLine);
  }

  #insert(batch: number, { number, offset, length, customId, sortKey }: NewLine): boolean {
    return (
      this.#db.run(
        `INSERT INTO lines (batch, line, offset, length, custom, sort) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (batch, custom) DO NOTHING`,
        ...[batch, number, offset, length],
        ...[keyedHash(this.#storeKey, customId, CUSTOM_ID_HASH), sortKey],
      ) === 1
    );
  }

  #findBatch(id: string): number | undefined {
    const row = this.#db.get('SELECT n FROM batches WHERE id = ?', id);
    return row && Number(row.n);
  }
}

function toLine(row: Row): Line {
  return {
    number: Number(row.line),
    offset: Number(row.offset),
    length: Number(row.length),
    sortKey: row.sort as Uint8Array,
  };
}
