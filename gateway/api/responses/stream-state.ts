import { getItemId, type ItemStates, updateItemStates } from './item-states.ts';
import { missingEventsBefore } from './missing-events.ts';
import type { ResponseEvent } from './response-event.ts';
import { completeResponse, type ResponseContext, type ResponseObject } from './response-object.ts';

export interface ResponseStreamState {
  readonly context: ResponseContext;
  /** The number of the next event. */
  readonly next: number;
  readonly items: ItemStates;
  /** As it was announced; undefined before. */
  readonly response?: ResponseObject;
}

export function initialStreamState(known: ResponseContext): ResponseStreamState {
  return { context: known, next: 0, items: [] };
}

export interface ResponseStreamStep {
  readonly state: ResponseStreamState;
  readonly events: readonly ResponseEvent[];
}

/**
 * One event of llama-server as the events that OpenAI would send: whole, in their places, and numbered. Of a response
 * that was announced before the engine came to it, there is nothing more to announce.
 */
export function completeEvent(state: ResponseStreamState, told: ResponseEvent): ResponseStreamStep {
  if (told.type === 'response.created' && state.response) return { state, events: [] };
  let { next, items } = state;
  const events = [...missingEventsBefore(items, told), told].map((event) => {
    items = updateItemStates(items, event);
    // The number comes last, where it is found even after a very long event (stream-dialect.ts).
    return { ...wholeEvent(state, items, event), sequence_number: next++ };
  });
  const [{ type, response } = told] = events;
  const announced = type === 'response.created' && response ? { response } : {};
  return { state: { ...state, next, items, ...announced }, events };
}

/** Events of ours, numbered like all others. */
export function addOwnEvents(state: ResponseStreamState, own: readonly ResponseEvent[]): ResponseStreamStep {
  const events = own.map((event, n) => ({ ...event, sequence_number: state.next + n }));
  return { state: { ...state, next: state.next + events.length }, events };
}

function wholeEvent(state: ResponseStreamState, items: ItemStates, event: ResponseEvent): ResponseEvent {
  if (event.response) {
    const { context, response: announced } = state;
    const response = completeResponse(
      context,
      announced ? { ...event.response, id: announced.id } : event.response,
    );
    return { ...event, type: typeOf(event, response.status), response };
  }
  const id = getItemId(event);
  if (id === undefined) return event;
  const { type, ...rest } = event;
  const place = items.findIndex((item) => item.id === id);
  return {
    type,
    ...(place === -1 ? {} : { output_index: place }),
    ...contentFieldsOf(type),
    ...rest,
    ...wholePart(event),
  };
}

function typeOf({ type }: ResponseEvent, status: string | undefined): string {
  return type === 'response.completed' && status === 'incomplete' ? 'response.incomplete' : type;
}

/** llama-server gives an item one part of content, and this API no log-probabilities. */
function contentFieldsOf(type: string) {
  if (type.startsWith('response.output_text.')) return { content_index: 0, logprobs: [] };
  if (type.startsWith('response.content_part.') || type.startsWith('response.reasoning_text.')) {
    return { content_index: 0 };
  }
  return {};
}

function wholePart({ part }: ResponseEvent) {
  return part?.type === 'output_text' ? { part: { annotations: [], logprobs: [], ...part } } : {};
}
