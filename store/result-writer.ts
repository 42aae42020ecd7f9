import type { Batch } from './batch.ts';
import { type LineResult, stateNumbers } from './batch-line.ts';
import type { ContentFolder } from './content-folder.ts';
import type { Database, Row } from './database.ts';
import { appendResults, type ResultFile } from './result-files.ts';

interface Commit {
  readonly results: LineResult[];
  readonly done: Promise<void>;
}

/**
 * Records results so that each line has at most one, whatever is killed when: the text is on disk first, then one
 * transaction records that the line has ended and how long the files are. Results that arrive during a commit are
 * recorded together in the next one.
 */
export class ResultWriter {
  readonly #db: Database;
  readonly #contents: ContentFolder;
  /** The last commit of each batch, and the next one, which still takes results. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Commit>();

  constructor(db: Database, contents: ContentFolder) {
    this.#db = db;
    this.#contents = contents;
  }

  /** Resolves when the results are durable. Results of lines that have ended before, or are gone, are dropped. */
  finish(batchId: string, results: readonly LineResult[]): Promise<void> {
    const waiting = this.#waiting.get(batchId);
    if (waiting !== undefined) {
      for (const result of results) waiting.results.push(result);
      return waiting.done;
    }
    const commit = { results: [...results], done: this.#commitNext(batchId) };
    this.#waiting.set(batchId, commit);
    return commit.done;
  }

  #commitNext(batchId: string): Promise<void> {
    const before = this.#running.get(batchId) ?? Promise.resolve();
    const done = before
      .catch(() => undefined)
      .then(() => {
        const results = this.#waiting.get(batchId)?.results ?? [];
        this.#waiting.delete(batchId);
        return this.#commit(batchId, results);
      });
    const settled = done
      .catch(() => undefined)
      .finally(() => {
        if (this.#running.get(batchId) === settled) this.#running.delete(batchId);
      });
    this.#running.set(batchId, settled);
    return done;
  }

  async #commit(batchId: string, given: readonly LineResult[]): Promise<void> {
    const batch = this.#db.get('SELECT * FROM batches WHERE id = ? AND ended = 0', batchId);
    if (batch === undefined) return;
    const results = this.#withoutEnded(batch, given);
    if (results.length === 0) return;
    const files = resultFiles(batch);
    // One after the other: when this rejects, nothing may still be writing where the next commit writes.
    const output = await appendResults(this.#contents, files.output, textOf(results, true));
    const error = await appendResults(this.#contents, files.error, textOf(results, false));
    const isRecorded = this.#db.transaction(() => this.#record(batch, results, output, error));
    if (!isRecorded) this.#removeIfGone(batch);
  }

  /** The first result of each line that has none. */
  #withoutEnded(batch: Row, results: readonly LineResult[]): LineResult[] {
    const byLine = new Map(results.toReversed().map((result) => [result.number, result]));
    const isPending = (number: number) =>
      this.#db.get('SELECT state FROM lines WHERE batch = ? AND line = ?', batch.n ?? null, number)?.state ===
      0;
    return [...byLine.values()].filter(({ number }) => isPending(number)).reverse();
  }

  /** Returns false if the batch has ended or was removed meanwhile. */
  #record(batch: Row, results: readonly LineResult[], output: ResultFile, error: ResultFile): boolean {
    const count = (state: LineResult['state']) => results.filter((result) => result.state === state).length;
    const sum = (name: keyof Batch['usage']) =>
      results.reduce((total, { usage }) => total + (usage?.[name] ?? 0), 0);
    const recorded = this.#db.run(
      `UPDATE batches SET output_size = ?, output_stored = ?, error_size = ?, error_stored = ?,
         completed = completed + ?, failed = failed + ?, expired = expired + ?, cancelled = cancelled + ?,
         input_tokens = input_tokens + ?, cached_tokens = cached_tokens + ?,
         output_tokens = output_tokens + ?, reasoning_tokens = reasoning_tokens + ? WHERE id = ? AND ended = 0`,
      ...[output.size, output.stored, error.size, error.stored],
      ...[count('completed'), count('failed'), count('expired'), count('cancelled')],
      ...[sum('inputTokens'), sum('cachedTokens'), sum('outputTokens'), sum('reasoningTokens')],
      // After a purge, another batch may have its number.
      batch.id ?? null,
    );
    if (recorded === 0) return false;
    for (const { number, state } of results)
      this.#db.run(
        'UPDATE lines SET state = ? WHERE batch = ? AND line = ?',
        stateNumbers[state],
        batch.n ?? null,
        number,
      );
    return true;
  }

  /** Nothing is left of a batch that was purged. */
  #removeIfGone({ id = null, output_file, error_file }: Row): void {
    if (this.#db.get('SELECT 1 FROM batches WHERE id = ?', id) !== undefined) return;
    for (const id of [output_file, error_file]) this.#contents.remove(String(id));
  }
}

export function resultFiles(batch: Row): { readonly output: ResultFile; readonly error: ResultFile } {
  return {
    output: {
      id: String(batch.output_file),
      size: Number(batch.output_size),
      stored: Number(batch.output_stored),
    },
    error: {
      id: String(batch.error_file),
      size: Number(batch.error_size),
      stored: Number(batch.error_stored),
    },
  };
}

function textOf(results: readonly LineResult[], completed: boolean): string {
  return results
    .filter(({ state, text }) => text !== undefined && (state === 'completed') === completed)
    .map(({ text }) => `${text}\n`)
    .join('');
}
