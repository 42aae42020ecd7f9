import { z } from 'zod';
import { timings } from './llama-server-extras.ts';
import {
  completedResponse,
  failedResponse,
  incompleteResponse,
  outputItem,
  outputText,
  reasoningText,
  startedResponse,
} from './response-object.ts';

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

/** One event of a Responses stream, of the types that have been seen. */
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
