import {
  completeItem,
  completeResponse,
  type OutputItem,
  type ResponseContext,
  type ResponseObject,
} from './response-object.ts';

/** One event of a Responses stream, as far as it is read here. */
export interface ResponsesApiEvent {
  readonly type: string;
  readonly response?: ResponseObject;
  readonly item?: OutputItem;
  readonly item_id?: string;
  readonly part?: { readonly type: string };
  readonly [field: string]: unknown;
}

/** An output item of the stream. */
export interface ItemState {
  readonly id: string;
  readonly type: string;
  /** Whether the events that open and close its content have been sent. */
  readonly content: 'unopened' | 'open' | 'closed';
}

export interface ResponseStreamState {
  readonly context: ResponseContext;
  /** The number of the next event. */
  readonly next: number;
  /** In the order of their first events: the index of an item is its `output_index`. */
  readonly items: readonly ItemState[];
  /** The response as it was announced; undefined before. */
  readonly response?: ResponseObject;
}

/** The events of a response that were sent before, by another process. */
export interface SentEvents {
  readonly events: readonly ResponsesApiEvent[];
  /** The number of the next event. */
  readonly next: number;
}

export function initialStreamState(context: ResponseContext): ResponseStreamState {
  return { context, next: 0, items: [] };
}

/** The state in which a stream goes on behind these events. */
export function restoreStreamState(
  context: ResponseContext,
  { events, next }: SentEvents,
): ResponseStreamState {
  const response = events.find(({ type }) => type === 'response.created')?.response;
  return { context, next, items: events.reduce(updateItems, []), ...(response && { response }) };
}

export interface ResponseStreamStep {
  readonly state: ResponseStreamState;
  readonly events: readonly ResponsesApiEvent[];
}

/**
 * The events that OpenAI would send for one event of llama-server: complete, with their indexes, and numbered. None for the
 * engine's announcement of a response that the gateway has announced already.
 */
export function completeEvent(state: ResponseStreamState, event: ResponsesApiEvent): ResponseStreamStep {
  if (event.type === 'response.created' && state.response) return { state, events: [] };
  let { next, items } = state;
  const events = [...missingEventsBefore(items, event), event].map((each) => {
    items = updateItems(items, each);
    // The number comes last, where it is found even after a very long event (stream-markers.ts).
    return { ...completeFields(state, items, each), sequence_number: next++ };
  });
  const [first = event] = events;
  const announced = first.type === 'response.created' && first.response ? { response: first.response } : {};
  return { state: { ...state, next, items, ...announced }, events };
}

/** Numbers events of the gateway's own like all others. */
export function addOwnEvents(
  state: ResponseStreamState,
  own: readonly ResponsesApiEvent[],
): ResponseStreamStep {
  const events = own.map((event, n) => ({ ...event, sequence_number: state.next + n }));
  return { state: { ...state, next: state.next + events.length }, events };
}

const getItemId = ({ item_id, item }: ResponsesApiEvent): string | undefined => item_id ?? item?.id;

/** The items after an event. */
function updateItems(items: readonly ItemState[], event: ResponsesApiEvent): readonly ItemState[] {
  switch (event.type) {
    case 'response.output_item.added':
      return [...items, { id: getItemId(event) ?? '', type: event.item?.type ?? '', content: 'unopened' }];
    case 'response.content_part.added':
      return withContent(items, event, 'open');
    case 'response.content_part.done':
    case 'response.function_call_arguments.done':
      return withContent(items, event, 'closed');
    default:
      return items;
  }
}

function withContent(
  items: readonly ItemState[],
  event: ResponsesApiEvent,
  content: ItemState['content'],
): readonly ItemState[] {
  const id = getItemId(event);
  return items.map((item) => (item.id === id ? { ...item, content } : item));
}

/** The events that OpenAI sends before this one and llama-server does not. */
function missingEventsBefore(
  items: readonly ItemState[],
  event: ResponsesApiEvent,
): readonly ResponsesApiEvent[] {
  const item_id = getItemId(event);
  const content = items.find((item) => item.id === item_id)?.content;
  if (item_id === undefined || content === undefined) return [];
  if (event.type === 'response.reasoning_text.delta' && content === 'unopened')
    return [{ type: 'response.content_part.added', item_id, part: reasoningPart('') }];
  const { type, item } = event;
  if (type !== 'response.output_item.done' || item === undefined) return [];
  if (item.type === 'reasoning' && content === 'open') {
    const text = getFirstText(item);
    return [
      { type: 'response.reasoning_text.done', item_id, text },
      { type: 'response.content_part.done', item_id, part: reasoningPart(text) },
    ];
  }
  if (item.type === 'function_call' && content !== 'closed')
    return [{ type: 'response.function_call_arguments.done', item_id, arguments: item.arguments }];
  return [];
}

const reasoningPart = (text: string) => ({ type: 'reasoning_text', text });

function getFirstText({ content }: OutputItem): string {
  const parts = Array.isArray(content) ? (content as { readonly text?: string }[]) : [];
  return parts[0]?.text ?? '';
}

function completeFields(
  state: ResponseStreamState,
  items: readonly ItemState[],
  event: ResponsesApiEvent,
): ResponsesApiEvent {
  if (event.response) {
    const { context, response: announced } = state;
    const own = announced ? { ...event.response, id: announced.id } : event.response;
    const response = completeResponse(context, own);
    return { ...event, type: getType(event, response.status), response };
  }
  const id = getItemId(event);
  if (id === undefined) return event;
  const { type, ...rest } = event;
  const index = items.findIndex((item) => item.id === id);
  return {
    type,
    ...(index === -1 ? {} : { output_index: index }),
    ...contentFields(type),
    ...rest,
    ...completePart(event),
    ...(event.item && { item: completeItem(event.item, statusAfter(type)) }),
  };
}

const statusAfter = (type: string) => (type === 'response.output_item.added' ? 'in_progress' : 'completed');

function getType({ type }: ResponsesApiEvent, status: string | undefined): string {
  return type === 'response.completed' && status === 'incomplete' ? 'response.incomplete' : type;
}

/** llama-server gives an item one part of content, and no log-probabilities on this API. */
function contentFields(type: string) {
  if (type.startsWith('response.output_text.')) return { content_index: 0, logprobs: [] };
  if (type.startsWith('response.content_part.') || type.startsWith('response.reasoning_text.')) {
    return { content_index: 0 };
  }
  return {};
}

function completePart({ part }: ResponsesApiEvent) {
  return part?.type === 'output_text' ? { part: { annotations: [], logprobs: [], ...part } } : {};
}
