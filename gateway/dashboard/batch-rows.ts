import type { Batch, BatchStatus } from '../../store/batch.ts';
import type { StoreStatistics } from '../../store/statistics.ts';

/** What is shown of the store. */
export interface BatchRows {
  /** The batches that have not ended, oldest first, at most twenty. */
  readonly batches: readonly BatchRow[];
  /** How many have not ended. */
  readonly unfinished: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly responses: number;
  readonly conversations: number;
  /** Background responses that have not ended. */
  readonly background: { readonly queued: number; readonly inProgress: number };
  /** False while the process that runs batches and background responses is down; null if the supervisor does not say. */
  readonly runnerUp: boolean | null;
}

export interface BatchRow {
  readonly id: string;
  /** The id of the key; empty where no key is required. */
  readonly owner: string;
  readonly status: BatchStatus;
  readonly model: string | null;
  /** Lines: all, those with a result, and those of them that failed. */
  readonly total: number;
  readonly ended: number;
  readonly failed: number;
  readonly outputTokens: number;
  /** Why it makes no progress at the moment. */
  readonly reason: string | null;
}

/** What is read from the store while a page is open. */
export interface StoreReading {
  readonly statistics: StoreStatistics;
  readonly open: readonly Batch[];
}

const MAX_BATCHES = 20;

export function describeBatches(
  { statistics, open }: StoreReading,
  runnerUp: boolean | undefined,
): BatchRows {
  return {
    batches: open.slice(0, MAX_BATCHES).map(describeBatch),
    unfinished: open.length,
    ...{ bytes: statistics.bytes, maxBytes: statistics.maxBytes },
    ...{ responses: statistics.responses, conversations: statistics.conversations },
    background: { queued: statistics.background.queued, inProgress: statistics.background.in_progress },
    runnerUp: runnerUp ?? null,
  };
}

function describeBatch({ id, owner, status, model, counts, usage, reason }: Batch): BatchRow {
  const { total, completed, failed, expired, cancelled } = counts;
  return {
    ...{ id, owner, status, model, reason, total, outputTokens: usage.outputTokens },
    ended: completed + failed + expired + cancelled,
    failed: failed + expired + cancelled,
  };
}
