import { z } from 'zod';

/**
 * The fields of requests that the gateway uses, and those that are required. All other fields are passed to llama-server
 * unchanged.
 */
const count = z.int().nonnegative();
const model = z
  .string()
  .optional()
  .describe('A public name. Any other name is accepted as well unless `STRICT_MODEL=true`.');
const stream = z.boolean().optional().describe('Whether to send the completion as a stream of events.');
const choices = z.int().min(1).optional().describe('The number of completions; each takes a slot.');
const limit = (text: string) => z.int().optional().describe(text);
const maxTokens = limit(
  'The maximum number of tokens of a completion. As many are reserved of the tokens per minute.',
);

const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});
const messages = z
  .array(message)
  .describe('Send media inline, as `data:` URLs or base64, unless `ALLOW_REMOTE_MEDIA=true`.');

export const chatRequest = z.looseObject({
  model,
  messages,
  stream,
  stream_options: z
    .looseObject({ include_usage: z.boolean().optional() })
    .optional()
    .describe('With `include_usage`, the last chunk has the usage.'),
  n: choices,
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
});

export const completionRequest = z.looseObject({
  model,
  prompt: z
    .union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))])
    .describe('Text or tokens. Each of several prompts takes a slot.'),
  stream,
  n: choices,
  max_tokens: maxTokens,
});

export const embeddingRequest = z.looseObject({
  model,
  input: z.union([z.string(), z.array(z.union([z.string(), z.int(), z.array(z.int())]))]),
  encoding_format: z.enum(['float', 'base64']).optional(),
});

export const rerankRequest = z.looseObject({
  model,
  query: z.union([z.string(), z.looseObject({ text: z.string() })]),
  documents: z.array(z.union([z.string(), z.looseObject({ text: z.string() })])),
  top_n: z.int().min(1).optional(),
  return_documents: z.boolean().optional(),
});

export const responseRequest = z.looseObject({
  model,
  input: z.union([z.string(), z.array(z.looseObject({}))]),
  instructions: z.string().nullish(),
  stream,
  max_output_tokens: maxTokens.nullable(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).optional() }).optional(),
});

export const messageRequest = z.looseObject({ model, messages, stream, max_tokens: maxTokens });

export const transcriptionForm = z.looseObject({ file: z.file(), model });

export const nativeCompletionRequest = z.looseObject({
  prompt: z.union([z.string(), z.array(z.unknown()), z.looseObject({})]),
  stream,
  n_predict: maxTokens,
});

export const infillRequest = z.looseObject({ input_prefix: z.string(), input_suffix: z.string(), stream });

export const tokenizeRequest = z.looseObject({
  content: z.string(),
  add_special: z.boolean().optional(),
  with_pieces: z.boolean().optional(),
});

export const detokenizeRequest = z.looseObject({ tokens: z.array(count) });

export const templateRequest = z.looseObject({ messages });
