import * as z from 'zod';

const count = z.number();
const time = z.number().nullish();

/** A batch as the API has it, as far as it is shown. */
export const batchObject = z.looseObject({
  id: z.string(),
  status: z.string(),
  endpoint: z.string(),
  model: z.string().nullish(),
  input_file_id: z.string(),
  output_file_id: z.string().nullish(),
  error_file_id: z.string().nullish(),
  /** Why it makes no progress at the moment. */
  reason: z.string().nullish(),
  errors: z
    .looseObject({ data: z.array(z.looseObject({ message: z.string(), line: z.number().nullish() })) })
    .nullish(),
  request_counts: z.looseObject({ total: count, completed: count, failed: count }),
  usage: z.looseObject({ input_tokens: count, output_tokens: count }).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  created_at: z.number(),
  in_progress_at: time,
  expires_at: time,
  completed_at: time,
  failed_at: time,
  expired_at: time,
  cancelled_at: time,
});

export type Batch = z.output<typeof batchObject>;

const ends: readonly string[] = ['completed', 'failed', 'expired', 'cancelled'];

export const hasEnded = ({ status }: Batch): boolean => ends.includes(status);

/** When it ended, in seconds since 1970; undefined if it has not. */
export const endedAt = (batch: Batch): number | undefined =>
  batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at ?? undefined;

/** `in progress` for `in_progress`. */
export const statusText = ({ status }: Batch): string => status.replaceAll('_', ' ');
