import { z } from 'zod';
import { timings } from './llama-server-extras.ts';
import { begunResponse, outputItem, outputText, reasoningText, responseObject } from './response-object.ts';

const itemId = z.string().min(1);
const part = z.union([outputText, reasoningText]);
/** llama-server opens a part with its text alone. */
const begunPart = z.union([part, outputText.pick({ type: true, text: true })]);

/** An event of the given type and fields. Left out by llama-server: the number and the indices. */
function event<T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) {
  const index = z.int().nonnegative().optional();
  return z.strictObject({
    type: z.literal(type),
    sequence_number: index,
    output_index: index,
    content_index: index,
    ...shape,
  });
}

/** One event of a Responses stream, of the types that have been seen. */
export const responseEvent = z.discriminatedUnion('type', [
  event('response.created', { response: begunResponse }),
  event('response.in_progress', { response: begunResponse }),
  event('response.output_item.added', { item: outputItem }),
  event('response.output_item.done', { item: outputItem }),
  event('response.content_part.added', { item_id: itemId, part: begunPart }),
  event('response.content_part.done', { item_id: itemId, part }),
  event('response.output_text.delta', { item_id: itemId, delta: z.string() }),
  event('response.output_text.done', { item_id: itemId, text: z.string() }),
  event('response.reasoning_text.delta', { item_id: itemId, delta: z.string() }),
  event('response.reasoning_text.done', { item_id: itemId, text: z.string() }),
  event('response.function_call_arguments.delta', { item_id: itemId, delta: z.string() }),
  event('response.function_call_arguments.done', { item_id: itemId, arguments: z.string() }),
  event('response.completed', { response: responseObject, timings: timings.optional() }),
  event('error', { code: z.string().nullable(), message: z.string(), param: z.string().nullable() }),
]);
