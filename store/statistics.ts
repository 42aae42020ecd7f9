import { type BatchStatus, batchStatuses } from './batch.ts';
import type { LineState } from './batch-line.ts';
import type { Database } from './database.ts';

/** What is stored, and what batches have done. */
export interface StoreStatistics {
  readonly batches: Readonly<Record<BatchStatus, number>>;
  /** Of those that have not ended: how many make no progress at the moment. */
  readonly paused: number;
  /** Lines that have ended since the store was created; never less than before. */
  readonly lines: Readonly<Record<LineState, number>>;
  /** Of those lines. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly bytes: number;
  readonly maxBytes: number;
}

export function readStatistics(db: Database): Omit<StoreStatistics, 'bytes' | 'maxBytes'> {
  const counted = db.all('SELECT status, count(*) AS count FROM batches GROUP BY status');
  const byStatus = new Map(counted.map(({ status, count }) => [status, Number(count)]));
  const paused = db.get('SELECT count(*) AS count FROM batches WHERE ended = 0 AND reason IS NOT NULL');
  const totals = db.get('SELECT * FROM totals') ?? {};
  return {
    batches: Object.fromEntries(batchStatuses.map((status) => [status, byStatus.get(status) ?? 0])) as Record<
      BatchStatus,
      number
    >,
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
