import { z } from 'zod';
import { batchEndpoints } from '../../../gateway/routes/store/batch-request.ts';

const count = z.int().nonnegative();
const time = z.int().describe('Seconds since 1970.');
const isoTime = z.string().describe('RFC 3339.');
const expiry = z.strictObject({
  anchor: z.literal('created_at'),
  seconds: z.int().min(3600).max(2_592_000),
});

export const file = z.strictObject({
  id: z.string(),
  object: z.literal('file'),
  bytes: count,
  created_at: time,
  expires_at: time.describe('As the client said, else the end of STORE_RETENTION_DAYS.'),
  filename: z.string(),
  purpose: z.string(),
  status: z.literal('processed'),
  status_details: z.null(),
});

const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

export const fileList = page(file);

export const fileForm = z.strictObject({
  file: z.string().meta({ format: 'binary' }),
  purpose: z.enum(['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals']),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z.int().min(3600).max(2_592_000).optional(),
});

export const deletedFile = z.strictObject({
  id: z.string(),
  object: z.literal('file'),
  deleted: z.literal(true),
});

const metadata = z.record(z.string(), z.string()).nullable();

export const batchRequest = z.strictObject({
  input_file_id: z.string().describe('A file with the purpose `batch`.'),
  endpoint: z.enum(batchEndpoints),
  completion_window: z.literal('24h'),
  metadata: metadata.optional().describe('At most 16 pairs; keys of 64, values of 512 characters.'),
  output_expires_after: expiry.nullable().optional().describe('Counts from the end of the batch.'),
});

const lineError = z.strictObject({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.int().positive().nullable(),
});

const statuses = [
  ...(['validating', 'failed', 'in_progress', 'finalizing'] as const),
  ...(['completed', 'expired', 'cancelling', 'cancelled'] as const),
] as const;

export const batch = z.strictObject({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  model: z.string().nullable(),
  errors: z
    .strictObject({ object: z.literal('list'), data: z.array(lineError) })
    .nullable()
    .describe('Why the batch has failed.'),
  input_file_id: z.string(),
  completion_window: z.literal('24h'),
  status: z.enum(statuses),
  reason: z.string().nullable().describe('Why it makes no progress at the moment.'),
  output_file_id: z.string().nullable().describe('Null if no line has succeeded.'),
  error_file_id: z.string().nullable(),
  created_at: time,
  in_progress_at: time.nullable(),
  expires_at: time,
  finalizing_at: time.nullable(),
  completed_at: time.nullable(),
  failed_at: time.nullable(),
  expired_at: time.nullable(),
  cancelling_at: time.nullable(),
  cancelled_at: time.nullable(),
  request_counts: z.strictObject({ total: count, completed: count, failed: count }),
  usage: z.strictObject({
    input_tokens: count,
    input_tokens_details: z.strictObject({ cached_tokens: count }),
    output_tokens: count,
    output_tokens_details: z.strictObject({ reasoning_tokens: count }),
    total_tokens: count,
  }),
  metadata,
});

export const batchList = page(batch);

export const messageBatchRequest = z.strictObject({
  requests: z
    .array(
      z.strictObject({
        custom_id: z.string().regex(/^[\w-]{1,64}$/),
        params: z.looseObject({}).describe('The body of a request to `/v1/messages`.'),
      }),
    )
    .min(1)
    .max(50_000),
});

export const messageBatch = z.strictObject({
  id: z.string(),
  type: z.literal('message_batch'),
  processing_status: z.enum(['in_progress', 'canceling', 'ended']),
  request_counts: z.strictObject({
    processing: count,
    succeeded: count,
    errored: count,
    canceled: count,
    expired: count,
  }),
  created_at: isoTime,
  expires_at: isoTime,
  ended_at: isoTime.nullable(),
  cancel_initiated_at: isoTime.nullable(),
  archived_at: z.null(),
  results_url: z.string().nullable(),
});

export const messageBatchList = z.strictObject({
  data: z.array(messageBatch),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

export const deletedMessageBatch = z.strictObject({
  id: z.string(),
  type: z.literal('message_batch_deleted'),
});
