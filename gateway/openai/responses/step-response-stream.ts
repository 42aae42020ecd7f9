import { missingBefore } from './missing-events.ts';
import { followItems, idOfItem, type OpenItems } from './open-items.ts';
import type { ResponseEvent } from './response-event.ts';
import { type KnownOfResponse, wholeResponse } from './whole-response.ts';

export interface ResponseStreamState {
  readonly known: KnownOfResponse;
  /** The number of the next event. */
  readonly next: number;
  readonly items: OpenItems;
}

export function openResponseStream(known: KnownOfResponse): ResponseStreamState {
  return { known, next: 0, items: [] };
}

export interface ResponseStreamStep {
  readonly state: ResponseStreamState;
  readonly events: readonly ResponseEvent[];
}

/** One event of llama-server as the events that OpenAI would send: whole, in their places, and numbered. */
export function stepResponseStream(state: ResponseStreamState, told: ResponseEvent): ResponseStreamStep {
  let { next, items } = state;
  const events = [...missingBefore(items, told), told].map((event) => {
    items = followItems(items, event);
    // The number comes last, where it is found even after a very long event (stream-dialect.ts).
    return { ...wholeEvent(state.known, items, event), sequence_number: next++ };
  });
  return { state: { ...state, next, items }, events };
}

function wholeEvent(known: KnownOfResponse, items: OpenItems, event: ResponseEvent): ResponseEvent {
  if (event.response) {
    const response = wholeResponse(known, event.response);
    return { ...event, type: typeOf(event, response.status), response };
  }
  const id = idOfItem(event);
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
