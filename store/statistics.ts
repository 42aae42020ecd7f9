import { type BatchStatus, batchStatuses } from './batch.ts';
import type { LineState } from './batch-line.ts';
import type { Database, Row } from './database.ts';
import { type ResponseStatus, responseStatuses } from './response.ts';

/** What is stored, and what batches and background responses have done. */
export interface StoreStatistics {
  readonly batches: Readonly<Record<BatchStatus, number>>;
  /** How many of those that have not ended make no progress at the moment. */
  readonly paused: number;
  /** Lines that have ended since the store was created; never less than before. */
  readonly lines: Readonly<Record<LineState, number>>;
  /** The tokens of those lines. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly responses: number;
  readonly conversations: number;
  readonly background: Readonly<Record<ResponseStatus, number>>;
  readonly bytes: number;
  readonly maxBytes: number;
}

export function readStatistics(
  db: Database,
): Omit<StoreStatistics, 'responses' | 'conversations' | 'bytes' | 'maxBytes'> {
  const batches = db.all('SELECT status, count(*) AS count FROM batches GROUP BY status');
  const background = db.all(
    'SELECT status, count(*) AS count FROM responses WHERE background = 1 AND deleted = 0 GROUP BY status',
  );
  const paused = db.get('SELECT count(*) AS count FROM batches WHERE ended = 0 AND reason IS NOT NULL');
  const totals = db.get('SELECT * FROM totals') ?? {};
  return {
    batches: byStatus(batchStatuses, batches),
    background: byStatus(responseStatuses, background),
    paused: Number(paused?.count),
    lines: {
      completed: Number(totals.completed),
      failed: Number(totals.failed),
      expired: Number(totals.expired),
      cancelled: Number(totals.cancelled),
    },
    inputTokens: Number(totals.input_tokens),
    outputTokens: Number(totals.output_tokens),
  };
}

function byStatus<Status extends string>(
  statuses: readonly Status[],
  rows: readonly Row[],
): Readonly<Record<Status, number>> {
  const counts = new Map(rows.map(({ status, count }) => [status, Number(count)]));
  return Object.fromEntries(statuses.map((status) => [status, counts.get(status) ?? 0])) as Record<
    Status,
    number
  >;
}
