import { z } from 'zod';

const count = z.int().nonnegative();

/** OpenAI's count of tokens for chat and text completions. Left out by llama-server: `completion_tokens_details`. */
export const completionUsage = z
  .strictObject({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: z.strictObject({ cached_tokens: count }).optional(),
  })
  .refine((usage) => usage.total_tokens === usage.prompt_tokens + usage.completion_tokens, {
    error: 'total_tokens is not the sum of the others',
  });
