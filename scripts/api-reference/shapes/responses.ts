import { z } from 'zod';
import { timings } from './llama-server.ts';

const status = z.enum(['completed', 'in_progress', 'incomplete', 'failed']);
const count = z.int().nonnegative();

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()),
});

const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() });

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
  id: z.string().regex(/^fc_\w+$/),
  call_id: z.string().min(1),
  name: z.string().min(1),
  namespace: z.string().min(1).optional(),
  arguments: z.string(),
  status: status.optional(),
});

/** A call of a custom tool, which llama-server was given as a function. */
const customCallItem = z.strictObject({
  type: z.literal('custom_tool_call'),
  id: z.string().regex(/^ctc_\w+$/),
  call_id: z.string().min(1),
  name: z.string().min(1),
  namespace: z.string().min(1).optional(),
  input: z.string(),
  status: status.optional(),
});

const outputItem = z.discriminatedUnion('type', [
  messageItem,
  reasoningItem,
  functionCallItem,
  customCallItem,
]);

const usage = z.strictObject({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
});

const anyResponse = z.strictObject({
  id: z.string().regex(/^resp_\w+$/),
  object: z.literal('response'),
  created_at: z.int().positive(),
  completed_at: z.int().positive().nullable().optional(),
  model: z.string().min(1),
  status,
  output: z.array(outputItem),
  error: z.null(),
  incomplete_details: z.null(),
  access_programs: z.null(),
  instructions: z.string().nullable(),
  max_output_tokens: count.nullable(),
  metadata: z.record(z.string(), z.string()),
  parallel_tool_calls: z.boolean(),
  temperature: z.number().nullable(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]),
  tools: z.array(z.looseObject({ type: z.string() })),
  top_p: z.number().nullable(),
});

/** A response in progress. */
const startedResponse = anyResponse.extend({
  status: z.literal('in_progress'),
  output: z.tuple([]),
});

const completedResponse = anyResponse.extend({ status: z.literal('completed'), usage });

const incompleteResponse = anyResponse.extend({
  status: z.literal('incomplete'),
  incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }),
  usage,
});

/** A response whose stream failed. */
const failedResponse = anyResponse.extend({
  status: z.literal('failed'),
  output: z.tuple([]),
  error: z.strictObject({ code: z.string().min(1), message: z.string().min(1) }),
});

/** The object of the Responses API, as a JSON response. */
export const responseObject = z.discriminatedUnion('status', [completedResponse, incompleteResponse]);

/** The number of tokens of a request. */
export const inputTokens = z.strictObject({
  object: z.literal('response.input_tokens'),
  input_tokens: z.int().positive(),
});

const itemId = z.string().min(1);
const index = z.int().nonnegative();
const part = z.discriminatedUnion('type', [outputText, reasoningText]);
const ofItem = { item_id: itemId, output_index: index };
const ofPart = { ...ofItem, content_index: index };
const logprobs = z.tuple([]);

/** An event of the given type and fields. */
function event<T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) {
  return z.strictObject({ type: z.literal(type), sequence_number: index, ...shape });
}

/** One event of a Responses stream, of all known types. */
export const responseEvent = z.discriminatedUnion('type', [
  event('response.created', { response: startedResponse }),
  event('response.in_progress', { response: startedResponse }),
  event('response.output_item.added', { output_index: index, item: outputItem }),
  event('response.output_item.done', { output_index: index, item: outputItem }),
  event('response.content_part.added', { ...ofPart, part }),
  event('response.content_part.done', { ...ofPart, part }),
  event('response.output_text.delta', { ...ofPart, delta: z.string(), logprobs }),
  event('response.output_text.done', { ...ofPart, text: z.string(), logprobs }),
  event('response.reasoning_text.delta', { ...ofPart, delta: z.string() }),
  event('response.reasoning_text.done', { ...ofPart, text: z.string() }),
  event('response.function_call_arguments.delta', { ...ofItem, delta: z.string() }),
  event('response.function_call_arguments.done', { ...ofItem, arguments: z.string() }),
  event('response.custom_tool_call_input.delta', { ...ofItem, delta: z.string() }),
  event('response.custom_tool_call_input.done', { ...ofItem, input: z.string() }),
  event('response.completed', { response: completedResponse, timings: timings.optional() }),
  event('response.incomplete', { response: incompleteResponse, timings: timings.optional() }),
  event('response.failed', { response: failedResponse }),
  event('error', { code: z.string().nullable(), message: z.string(), param: z.string().nullable() }),
]);
