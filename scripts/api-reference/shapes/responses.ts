import { z } from 'zod';
import { component } from './component.ts';
import { timings } from './llama-server.ts';
import { toolChoice } from './requests.ts';

const itemStatus = z.enum(['completed', 'in_progress', 'incomplete']);
const count = z.int().nonnegative();

const outputText = component(
  'OutputText',
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.never()),
    logprobs: z.array(z.never()),
  }),
);

const reasoningText = component(
  'ReasoningText',
  z.strictObject({ type: z.literal('reasoning_text'), text: z.string() }),
);

const messageItem = component(
  'OutputMessage',
  z.strictObject({
    type: z.literal('message'),
    id: z.string().regex(/^msg_\w+$/),
    role: z.literal('assistant'),
    status: itemStatus,
    content: z.array(outputText),
  }),
);

const reasoningItem = component(
  'ReasoningItem',
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string().regex(/^rs_\w+$/),
    summary: z.array(z.never()),
    content: z.array(reasoningText).optional(),
    encrypted_content: z.string().nullable().optional(),
    status: itemStatus,
  }),
);

const functionCallItem = component(
  'FunctionCallItem',
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string().regex(/^fc_\w+$/),
    call_id: z.string().min(1),
    name: z.string().min(1),
    namespace: z.string().min(1).optional(),
    arguments: z.string(),
    status: itemStatus,
  }),
);

/** A call of a custom tool, which llama-server was given as a function. */
const customCallItem = component(
  'CustomCallItem',
  z.strictObject({
    type: z.literal('custom_tool_call'),
    id: z.string().regex(/^ctc_\w+$/),
    call_id: z.string().min(1),
    name: z.string().min(1),
    namespace: z.string().min(1).optional(),
    input: z.string(),
    status: itemStatus,
  }),
);

const outputItem = component(
  'OutputItem',
  z.discriminatedUnion('type', [messageItem, reasoningItem, functionCallItem, customCallItem]),
);

const usage = component(
  'ResponseUsage',
  z.strictObject({
    input_tokens: count,
    output_tokens: count,
    total_tokens: count,
    input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
    output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  }),
);

const anyResponse = z.strictObject({
  id: z.string().regex(/^resp_\w+$/),
  object: z.literal('response'),
  created_at: z.int().positive(),
  completed_at: z.null(),
  model: z.string().min(1),
  output: z.array(outputItem),
  error: z.null(),
  incomplete_details: z.null(),
  access_programs: z.null(),
  instructions: z.string().nullable(),
  max_output_tokens: count.nullable(),
  max_tool_calls: count.nullable(),
  metadata: z.record(z.string(), z.string()),
  parallel_tool_calls: z.boolean(),
  temperature: z.number().nullable(),
  presence_penalty: z.number().nullable(),
  frequency_penalty: z.number().nullable(),
  top_logprobs: z.literal(0),
  text: z.looseObject({ format: z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) }) }),
  reasoning: z.strictObject({ effort: z.string().nullable(), summary: z.string().nullable() }),
  truncation: z.enum(['auto', 'disabled']),
  prompt_cache_key: z.string().nullable(),
  safety_identifier: z.string().nullable(),
  service_tier: z.literal('default'),
  user: z.string().optional(),
  previous_response_id: z.string().nullable(),
  conversation: z.strictObject({ id: z.string() }).nullable(),
  store: z.boolean(),
  background: z.boolean(),
  tool_choice: toolChoice,
  tools: z.array(z.looseObject({ type: z.string() })),
  top_p: z.number().nullable(),
  usage: z.null(),
});

/** A response in progress. */
const startedResponse = component(
  'StartedResponse',
  anyResponse.extend({
    status: z.literal('in_progress'),
    output: z.tuple([]),
  }),
);

const completedResponse = component(
  'CompletedResponse',
  anyResponse.extend({
    status: z.literal('completed'),
    completed_at: z.int().positive(),
    usage,
  }),
);

const incompleteResponse = component(
  'IncompleteResponse',
  anyResponse.extend({
    status: z.literal('incomplete'),
    incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }),
    usage,
  }),
);

/** A response whose stream failed. */
const failedResponse = component(
  'FailedResponse',
  anyResponse.extend({
    status: z.literal('failed'),
    output: z.tuple([]),
    error: z.strictObject({
      code: z.enum(['server_error', 'rate_limit_exceeded', 'invalid_prompt', 'context_length_exceeded']),
      message: z.string().min(1),
    }),
  }),
);

/** A response that is generated in the background, as it is created. */
const queuedResponse = component(
  'QueuedResponse',
  anyResponse.extend({ status: z.literal('queued'), output: z.tuple([]) }),
);

/** The object of the Responses API, as a JSON response. */
export const responseObject = z.discriminatedUnion('status', [
  completedResponse,
  incompleteResponse,
  queuedResponse,
]);

/** A response of the store; one that was created in the background may be in any state. */
export const storedResponse = z.discriminatedUnion('status', [
  completedResponse,
  incompleteResponse,
  failedResponse,
  startedResponse,
  queuedResponse,
  component('CancelledResponse', anyResponse.extend({ status: z.literal('cancelled') })),
]);

/** The number of tokens of a request. */
export const inputTokens = z.strictObject({
  object: z.literal('response.input_tokens'),
  input_tokens: z.int().positive(),
});

const itemId = z.string().min(1);
const index = z.int().nonnegative();
const part = component('OutputPart', z.discriminatedUnion('type', [outputText, reasoningText]));
const ofItem = { item_id: itemId, output_index: index };
const ofPart = { ...ofItem, content_index: index };
const logprobs = z.tuple([]);

/** An event of the given type and fields. `response.created` is called `ResponseCreatedEvent` in the document. */
function event<T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) {
  const words = type.replace(/^error$/, 'response_error').split(/[._]/);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const shapeOfEvent = z.strictObject({ type: z.literal(type), sequence_number: index, ...shape });
  return component(`${name}Event`, shapeOfEvent);
}

/** One event of a Responses stream, of all known types. */
export const responseEvent = z.discriminatedUnion('type', [
  event('response.created', {
    response: component('CreatedResponse', z.discriminatedUnion('status', [startedResponse, queuedResponse])),
  }),
  event('response.queued', { response: queuedResponse }),
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
