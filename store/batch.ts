import type { Row } from './database.ts';

export type Dialect = 'openai' | 'anthropic';

export type BatchStatus =
  | 'validating'
  | 'in_progress'
  | 'finalizing'
  | 'cancelling'
  | 'completed'
  | 'failed'
  | 'expired'
  | 'cancelled';

/** The longest name of a model in a batch, in characters: it is stored and listed with the batch. */
export const MAX_MODEL_NAME = 512;

/** Why a batch has failed: an entry of `errors.data`, as OpenAI's API has it. */
export interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** From 1; null if it is about the file as a whole. */
  readonly line: number | null;
}

/** Lines of a batch: all, and those that have ended in each way. */
export interface BatchCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly expired: number;
  readonly cancelled: number;
}

export interface BatchUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** A batch. Times are seconds since 1970. */
export interface Batch {
  readonly id: string;
  /** The id of the key; empty where no key is required. */
  readonly owner: string;
  /** The id of the user of the key who has created it. */
  readonly user: string | null;
  readonly dialect: Dialect;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Seconds after the end of the batch; null: at the end of the retention. */
  readonly outputExpiresAfter: number | null;
  readonly status: BatchStatus;
  readonly model: string | null;
  /** Why it makes no progress at the moment. */
  readonly reason: string | null;
  readonly errors: readonly BatchError[];
  readonly counts: BatchCounts;
  readonly usage: BatchUsage;
  /** Once the batch has ended, and if there is a result of this kind. */
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly inProgressAt: number | null;
  readonly finalizingAt: number | null;
  readonly completedAt: number | null;
  readonly failedAt: number | null;
  readonly expiredAt: number | null;
  readonly cancellingAt: number | null;
  readonly cancelledAt: number | null;
}

/** What may follow each status. Nothing follows an end. */
const next: Readonly<Record<BatchStatus, readonly BatchStatus[]>> = {
  validating: ['in_progress', 'failed', 'expired', 'cancelling'],
  in_progress: ['finalizing', 'failed', 'expired', 'cancelling'],
  finalizing: ['completed', 'failed', 'expired', 'cancelling'],
  cancelling: ['cancelled', 'failed', 'expired'],
  completed: [],
  failed: [],
  expired: [],
  cancelled: [],
};

export const batchStatuses = Object.keys(next) as readonly BatchStatus[];

export const mayFollow = (from: BatchStatus, to: BatchStatus) => next[from].includes(to);

export const hasEnded = (status: BatchStatus) => next[status].length === 0;

export function toBatch(row: Row): Batch {
  const status = row.status as BatchStatus;
  return {
    id: String(row.id),
    owner: String(row.owner),
    user: toText(row.user),
    dialect: row.dialect as Dialect,
    endpoint: String(row.endpoint),
    inputFileId: String(row.input_file),
    metadata: row.metadata === null ? null : JSON.parse(String(row.metadata)),
    outputExpiresAfter: toNumber(row.output_expires_after),
    status,
    model: toText(row.model),
    reason: toText(row.reason),
    errors: JSON.parse(String(row.errors)),
    counts: {
      total: Number(row.total),
      completed: Number(row.completed),
      failed: Number(row.failed),
      expired: Number(row.expired),
      cancelled: Number(row.cancelled),
    },
    usage: {
      inputTokens: Number(row.input_tokens),
      cachedTokens: Number(row.cached_tokens),
      outputTokens: Number(row.output_tokens),
      reasoningTokens: Number(row.reasoning_tokens),
    },
    outputFileId: hasEnded(status) && row.output_size !== 0 ? String(row.output_file) : null,
    errorFileId: hasEnded(status) && row.error_size !== 0 ? String(row.error_file) : null,
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    inProgressAt: toNumber(row.in_progress_at),
    finalizingAt: toNumber(row.finalizing_at),
    completedAt: toNumber(row.completed_at),
    failedAt: toNumber(row.failed_at),
    expiredAt: toNumber(row.expired_at),
    cancellingAt: toNumber(row.cancelling_at),
    cancelledAt: toNumber(row.cancelled_at),
  };
}

const toNumber = (value: unknown) => (value === null ? null : Number(value));
const toText = (value: unknown) => (value === null ? null : String(value));
