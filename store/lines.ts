import type { Line, NewLine } from './batch-line.ts';
import type { Database, Row } from './database.ts';
import { keyedHash } from './frame-cipher.ts';

const CUSTOM_ID_HASH = 16;

export interface LineFilter {
  /** Only those behind this one. */
  readonly after?: Pick<Line, 'number' | 'sortKey'> | undefined;
  /** Only those of this model; null is that of the batch. */
  readonly model?: string | null;
}

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

  /** The first lines without result in the order of their sort keys. */
  next(batchId: string, limit: number, { after, model }: LineFilter = {}): Line[] {
    const n = this.#findBatch(batchId);
    if (n === undefined) return [];
    const [behind, place] =
      after === undefined ? ['', []] : ['AND (sort, line) > (?, ?)', [after.sortKey, after.number]];
    const [of, models] = model === undefined ? ['', []] : ['AND model IS ?', [model]];
    return this.#db
      .all(
        `SELECT line, offset, length, sort FROM lines WHERE batch = ? AND state = 0 ${behind} ${of}
         ORDER BY sort, line LIMIT ?`,
        ...[n, ...place, ...models, limit],
      )
      .map(toLine);
  }

  /** The models of the lines without result; null is that of the batch. */
  models(batchId: string): (string | null)[] {
    return this.#db
      .all(
        'SELECT DISTINCT model FROM lines WHERE batch = (SELECT n FROM batches WHERE id = ?) AND state = 0',
        batchId,
      )
      .map(({ model }) => (model === null ? null : String(model)));
  }

  #insert(batch: number, { number, offset, length, customId, sortKey, model }: NewLine): boolean {
    return (
      this.#db.run(
        `INSERT INTO lines (batch, line, offset, length, custom, sort, model) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (batch, custom) DO NOTHING`,
        ...[batch, number, offset, length],
        ...[this.#hash(customId), sortKey, model ?? null],
      ) === 1
    );
  }

  /** Of all of its code units: JSON may have some that no UTF-8 has. */
  #hash(customId: string): Buffer {
    return keyedHash(this.#storeKey, Buffer.from(customId, 'utf16le'), CUSTOM_ID_HASH);
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
