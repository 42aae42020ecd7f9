import { z } from 'zod';
import { timings } from './llama-server-extras.ts';
import { logprobs } from './logprobs.ts';
import { completionUsage } from './usage.ts';

const choice = {
  index: z.int().nonnegative(),
  text: z.string(),
  /** llama-server answers in the chat API's form, OpenAI in one of `tokens`, `token_logprobs` and `text_offset`. */
  logprobs: logprobs.nullable(),
};
const finishReason = z.enum(['stop', 'length', 'content_filter']);

const completion = {
  /** OpenAI's begins with `cmpl-`. */
  id: z.string().regex(/^(chat)?cmpl-\w+$/),
  object: z.literal('text_completion'),
  created: z.int().positive(),
  model: z.string().min(1),
  system_fingerprint: z.string().optional(),
  timings: timings.optional(),
};

/** The answer of the older completions API in one piece. */
export const textCompletion = z.strictObject({
  ...completion,
  choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason })).min(1),
  usage: completionUsage,
});

/** One event of its stream. llama-server puts the usage on the last of them, asked for or not. */
export const textCompletionChunk = z.strictObject({
  ...completion,
  choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason.nullable() })),
  usage: completionUsage.nullable().optional(),
});
