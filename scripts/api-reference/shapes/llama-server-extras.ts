import { z } from 'zod';

const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** What llama-server tells of its own speed, on the last object of most answers. No OpenAI client minds it. */
export const timings = z.strictObject({
  cache_n: count,
  prompt_n: count,
  prompt_ms: ms,
  prompt_per_token_ms: ms.nullable(),
  prompt_per_second: ms.nullable(),
  predicted_n: count,
  predicted_ms: ms,
  predicted_per_token_ms: ms.nullable(),
  predicted_per_second: ms.nullable(),
  draft_n: count.optional(),
  draft_n_accepted: count.optional(),
});

/** How far a long prompt has been read; only for those who asked with `return_progress`. */
export const promptProgress = z.strictObject({ total: count, cache: count, processed: count, time_ms: ms });
