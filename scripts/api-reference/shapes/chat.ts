import { z } from 'zod';
import { promptProgress, timings } from './llama-server-extras.ts';
import { logprobs } from './logprobs.ts';
import { completionUsage } from './usage.ts';

const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);
const seconds = z.int().positive();
const chatId = z.string().regex(/^chatcmpl-\w+$/);

const functionCall = z.strictObject({ name: z.string().min(1), arguments: z.string() });

const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: functionCall,
});

const message = z.strictObject({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  /** llama-server leaves it out, OpenAI does not. */
  refusal: z.string().nullable().optional(),
  tool_calls: z.array(toolCall).min(1).optional(),
  /** Instead of tool_calls, to a request that gave functions. */
  function_call: functionCall.optional(),
  /** llama-server's own. */
  reasoning_content: z.string().optional(),
});

/** The answer to a chat request in one piece. */
export const chatCompletion = z.strictObject({
  id: chatId,
  object: z.literal('chat.completion'),
  created: seconds,
  model: z.string().min(1),
  choices: z
    .array(
      z.strictObject({
        index: z.int().nonnegative(),
        message,
        finish_reason: finishReason,
        /** llama-server leaves it out unless asked; OpenAI says null. */
        logprobs: logprobs.nullable().optional(),
      }),
    )
    .min(1),
  usage: completionUsage,
  system_fingerprint: z.string().optional(),
  service_tier: z.string().nullable().optional(),
  timings: timings.optional(),
});

const delta = z.strictObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullable().optional(),
  refusal: z.string().nullable().optional(),
  tool_calls: z
    .array(
      z.strictObject({
        index: z.int().nonnegative(),
        id: z.string().min(1).optional(),
        type: z.literal('function').optional(),
        function: functionCall.partial(),
      }),
    )
    .optional(),
  function_call: functionCall.partial().optional(),
  /** llama-server's own. */
  reasoning_content: z.string().optional(),
});

/** One event of a chat stream. Where there are no choices there is the usage that was asked for. */
export const chatCompletionChunk = z
  .strictObject({
    id: chatId,
    object: z.literal('chat.completion.chunk'),
    created: seconds,
    model: z.string().min(1),
    choices: z.array(
      z.strictObject({
        index: z.int().nonnegative(),
        delta,
        finish_reason: finishReason.nullable(),
        logprobs: logprobs.nullable().optional(),
      }),
    ),
    usage: completionUsage.nullable().optional(),
    system_fingerprint: z.string().optional(),
    service_tier: z.string().nullable().optional(),
    timings: timings.optional(),
    prompt_progress: promptProgress.optional(),
  })
  .refine(({ choices, usage }) => (choices.length === 0) === Boolean(usage), {
    error: 'a chunk has either choices or usage',
  });
