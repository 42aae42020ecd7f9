import type { StreamError } from '../../upstream/relay.ts';
import type { ResponseEvent } from './response-event.ts';
import { completeResponse, type ResponseContext } from './response-object.ts';
import type { ResponseStreamState } from './stream-state.ts';

/**
 * Events that show a client that its stream lives. Before the first item the response is announced, once, and then is in
 * progress again and again. Later that would make some SDKs forget what they have put together so far: there the item
 * under way gets nothing, which all of them can add. Of nothing else would each of them know what to think.
 */
export function keepAliveEvents(
  { context, response, items }: ResponseStreamState,
  newId: () => string,
): readonly ResponseEvent[] {
  if (response === undefined) return announcement(context, newId());
  const item = items.at(-1);
  if (item === undefined) return [{ type: 'response.in_progress', response }];
  const delta = { item_id: item.id, output_index: items.length - 1, delta: '' };
  if (item.type === 'function_call' && item.content !== 'closed')
    return [{ type: 'response.function_call_arguments.delta', ...delta }];
  if (item.content !== 'open') return [];
  if (item.type === 'message')
    return [{ type: 'response.output_text.delta', ...delta, content_index: 0, logprobs: [] }];
  return item.type === 'reasoning'
    ? [{ type: 'response.reasoning_text.delta', ...delta, content_index: 0 }]
    : [];
}

/** Of the two events that tell of it some clients know the one, some the other; no SDK takes either before the first. */
export function failureEvents(
  { context, response }: ResponseStreamState,
  { code, message }: StreamError,
  newId: () => string,
): readonly ResponseEvent[] {
  const created = response ? [] : announcement(context, newId());
  const begun = response ?? created[0]?.response;
  const failed = { ...begun, status: 'failed', error: { code, message } };
  return [
    ...created,
    { type: 'response.failed', response: failed },
    { type: 'error', code, message, param: null },
  ];
}

function announcement(known: ResponseContext, id: string): readonly ResponseEvent[] {
  const response = completeResponse(known, { id, object: 'response', status: 'in_progress' });
  return [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
  ];
}
