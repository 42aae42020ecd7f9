import { z } from 'zod';
import { component } from './component.ts';

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

const contentPart = component('ContentPart', z.looseObject({ type: z.string() }));
const messageContent = component('MessageContent', z.union([z.string(), z.array(contentPart)]));

const message = component(
  'ChatMessage',
  z.looseObject({
    role: z.string(),
    content: messageContent.nullish(),
  }),
);
const messages = z
  .array(message)
  .describe('Send media inline, as `data:` URLs or base64, unless `ALLOW_REMOTE_MEDIA=true`.');

/** Whether the model must call a tool, or which one. Responses repeat it. */
export const toolChoice = component(
  'ToolChoice',
  z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]),
);

/** Fields that most clients use. llama-server reads them, the gateway does not. */
const sampling = {
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  seed: z.int().nullish(),
  stop: component('StopSequences', z.union([z.string(), z.array(z.string())])).nullish(),
};

const tools = {
  tools: z.array(component('Tool', z.looseObject({ type: z.string() }))).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
};

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
  ...sampling,
  ...tools,
  response_format: component('ResponseFormat', z.looseObject({ type: z.string() })).nullish(),
  reasoning_effort: z.string().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
});

const prompt = component(
  'Prompt',
  z
    .union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))])
    .describe('Text or tokens. Each of several prompts takes a slot.'),
);

export const completionRequest = z.looseObject({
  model,
  prompt,
  stream,
  n: choices,
  max_tokens: maxTokens,
  ...sampling,
});

/** One text, several texts, tokens, or several lists of tokens. */
const embeddingInput = component(
  'EmbeddingInput',
  z.union([
    z.string(),
    z.array(component('EmbeddingInputItem', z.union([z.string(), z.int(), z.array(z.int())]))),
  ]),
);

export const embeddingRequest = z.looseObject({
  model,
  input: embeddingInput,
  encoding_format: z.enum(['float', 'base64']).optional(),
});

const rerankText = component('RerankText', z.union([z.string(), z.looseObject({ text: z.string() })]));

export const rerankRequest = z.looseObject({
  model,
  query: rerankText,
  documents: z.array(rerankText),
  top_n: z.int().min(1).optional(),
  return_documents: z.boolean().optional(),
});

export const responseRequest = z.looseObject({
  model,
  input: component('ResponseInput', z.union([z.string(), z.array(z.looseObject({}))])),
  instructions: z.string().nullish(),
  stream,
  max_output_tokens: maxTokens.nullable(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).optional() }).optional(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: component(
    'ConversationReference',
    z.union([z.string(), z.looseObject({ id: z.string() })]),
  ).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  ...tools,
  reasoning: component('Reasoning', z.looseObject({ effort: z.string().nullish() })).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

export const messageRequest = z.looseObject({
  model,
  messages,
  stream,
  max_tokens: maxTokens,
  system: component('SystemPrompt', z.union([z.string(), z.array(contentPart)])).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  tools: z.array(component('AnthropicTool', z.looseObject({ name: z.string() }))).optional(),
  tool_choice: component('AnthropicToolChoice', z.looseObject({ type: z.string() })).optional(),
});

export const transcriptionForm = z.looseObject({ file: z.file(), model });

export const nativeCompletionRequest = z.looseObject({
  prompt: component('NativePrompt', z.union([z.string(), z.array(z.unknown()), z.looseObject({})])),
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
