import { z } from 'zod';

const status = z.enum(['completed', 'in_progress', 'incomplete', 'failed']);
const count = z.int().nonnegative();

export const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()),
});

export const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() });

const messageItem = z.strictObject({
  type: z.literal('message'),
  id: z.string().regex(/^msg_\w+$/),
  role: z.literal('assistant'),
  status,
  content: z.array(outputText),
});

const reasoningItem = z.strictObject({
  type: z.literal('reasoning'),
  id: z.string().regex(/^rs_\w+$/),
  summary: z.array(z.never()),
  content: z.array(reasoningText).optional(),
  encrypted_content: z.string().nullable().optional(),
  status: status.optional(),
});

const functionCallItem = z.strictObject({
  type: z.literal('function_call'),
  /** llama-server leaves it out of some. */
  id: z.string().optional(),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
  status: status.optional(),
});

export const outputItem = z.discriminatedUnion('type', [messageItem, reasoningItem, functionCallItem]);

/**
 * The object of the Responses API. Left out by llama-server although OpenAI requires them: `error`,
 * `incomplete_details`, `instructions`, `metadata`, `parallel_tool_calls`, `temperature`, `tool_choice`, `tools`,
 * `top_p`, and `usage.output_tokens_details`.
 */
export const responseObject = z.strictObject({
  id: z.string().regex(/^resp_\w+$/),
  object: z.literal('response'),
  created_at: z.int().positive(),
  completed_at: z.int().positive().nullable().optional(),
  model: z.string().min(1),
  status,
  output: z.array(outputItem),
  usage: z.strictObject({
    input_tokens: count,
    output_tokens: count,
    total_tokens: count,
    input_tokens_details: z.strictObject({ cached_tokens: count }),
  }),
});

/** What llama-server says of a response that has only begun; OpenAI sends the whole object here too. */
export const begunResponse = responseObject
  .pick({ id: true, object: true })
  .extend({ status: z.literal('in_progress') });

/** How many tokens a request would have. */
export const inputTokens = z.strictObject({
  object: z.literal('response.input_tokens'),
  input_tokens: z.int().positive(),
});
