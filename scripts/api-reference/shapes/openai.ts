import { z } from 'zod';
import { component } from './component.ts';
import { promptProgress, timings } from './llama-server.ts';

const count = z.int().nonnegative();

/** OpenAI's usage for chat and text completions. llama-server omits `completion_tokens_details`. */
const completionUsage = component(
  'CompletionUsage',
  z
    .strictObject({
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: z.strictObject({ cached_tokens: count }).optional(),
    })
    .refine((usage) => usage.total_tokens === usage.prompt_tokens + usage.completion_tokens, {
      error: 'total_tokens is not the sum of the others',
    }),
);

const token = {
  /** llama-server's own: the number of the token. */
  id: z.int().optional(),
  token: z.string(),
  bytes: z.array(z.int().min(0).max(255)).nullable(),
  logprob: z.number().max(0),
};

const tokenLogProb = component(
  'TokenLogProb',
  z.strictObject({ ...token, top_logprobs: z.array(component('TopLogProb', z.strictObject(token))) }),
);

/** Log-probabilities of a choice. llama-server omits `refusal`. */
const logprobs = component(
  'LogProbs',
  z.strictObject({
    content: z.array(tokenLogProb).nullable(),
    refusal: z.null().optional(),
  }),
);

const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);
const seconds = z.int().positive();
const chatId = z.string().regex(/^chatcmpl-\w+$/);

const functionCall = component(
  'FunctionCall',
  z.strictObject({ name: z.string().min(1), arguments: z.string() }),
);

const toolCall = component(
  'ToolCall',
  z.strictObject({
    id: z.string().min(1),
    type: z.literal('function'),
    function: functionCall,
  }),
);

const message = component(
  'AssistantMessage',
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string().nullable(),
    /** llama-server omits it, OpenAI does not. */
    refusal: z.string().nullable().optional(),
    tool_calls: z.array(toolCall).min(1).optional(),
    /** Instead of tool_calls, for a request with functions. */
    function_call: functionCall.optional(),
    /** llama-server's own. */
    reasoning_content: z.string().optional(),
  }),
);

/** A chat completion as a JSON response. */
export const chatCompletion = z.strictObject({
  id: chatId,
  object: z.literal('chat.completion'),
  created: seconds,
  model: z.string().min(1),
  choices: z
    .array(
      component(
        'ChatChoice',
        z.strictObject({
          index: z.int().nonnegative(),
          message,
          finish_reason: finishReason,
          /** llama-server omits it unless it is requested; OpenAI sends null. */
          logprobs: logprobs.nullable().optional(),
        }),
      ),
    )
    .min(1),
  usage: completionUsage,
  system_fingerprint: z.string().optional(),
  service_tier: z.string().nullable().optional(),
  timings: timings.optional(),
});

const functionCallDelta = component('FunctionCallDelta', functionCall.partial());

const delta = component(
  'ChatDelta',
  z.strictObject({
    role: z.literal('assistant').optional(),
    content: z.string().nullable().optional(),
    refusal: z.string().nullable().optional(),
    tool_calls: z
      .array(
        component(
          'ToolCallDelta',
          z.strictObject({
            index: z.int().nonnegative(),
            id: z.string().min(1).optional(),
            type: z.literal('function').optional(),
            function: functionCallDelta,
          }),
        ),
      )
      .optional(),
    function_call: functionCallDelta.optional(),
    /** llama-server's own. */
    reasoning_content: z.string().optional(),
  }),
);

/** One event of a chat stream. An event without choices has the requested usage. */
export const chatCompletionChunk = z
  .strictObject({
    id: chatId,
    object: z.literal('chat.completion.chunk'),
    created: seconds,
    model: z.string().min(1),
    choices: z.array(
      component(
        'ChatChunkChoice',
        z.strictObject({
          index: z.int().nonnegative(),
          delta,
          finish_reason: finishReason.nullable(),
          logprobs: logprobs.nullable().optional(),
        }),
      ),
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

const choice = {
  index: z.int().nonnegative(),
  text: z.string(),
  /** llama-server has the form of the chat API, OpenAI has `tokens`, `token_logprobs` and `text_offset`. */
  logprobs: logprobs.nullable(),
};
const textFinishReason = z.enum(['stop', 'length', 'content_filter']);

const completion = {
  /** OpenAI's starts with `cmpl-`. */
  id: z.string().regex(/^(chat)?cmpl-\w+$/),
  object: z.literal('text_completion'),
  created: z.int().positive(),
  model: z.string().min(1),
  system_fingerprint: z.string().optional(),
  timings: timings.optional(),
};

/** A completion of the older API as a JSON response. */
export const textCompletion = z.strictObject({
  ...completion,
  choices: z
    .array(component('CompletionChoice', z.strictObject({ ...choice, finish_reason: textFinishReason })))
    .min(1),
  usage: completionUsage,
});

/** One event of its stream. llama-server's last event has the usage, requested or not. */
export const textCompletionChunk = z.strictObject({
  ...completion,
  choices: z.array(
    component(
      'CompletionChunkChoice',
      z.strictObject({ ...choice, finish_reason: textFinishReason.nullable() }),
    ),
  ),
  usage: completionUsage.nullable().optional(),
});

const base64 = z.base64();

/** A list of embeddings, as numbers or as base64 of 32-bit floats, which the SDKs request. */
export const embeddingList = z.strictObject({
  object: z.literal('list'),
  model: z.string().min(1),
  data: z
    .array(
      component(
        'Embedding',
        z.strictObject({
          object: z.literal('embedding'),
          index: z.int().nonnegative(),
          embedding: component('EmbeddingVector', z.union([z.array(z.number()).min(1), base64.min(1)])),
          /** llama-server's own field, with base64. */
          encoding_format: z.literal('base64').optional(),
        }),
      ),
    )
    .min(1),
  usage: component(
    'EmbeddingUsage',
    z.strictObject({ prompt_tokens: z.int().positive(), total_tokens: z.int().positive() }),
  ),
});
