import type { ResponseEvent } from './response-event.ts';

/** An output item whose events are under way. */
export interface ItemState {
  readonly id: string;
  readonly type: string;
  /** Whether the events that open and close its content have been there. */
  readonly content: 'unopened' | 'open' | 'closed';
}

/** In the order in which they were added: an item's place among them is its `output_index`. */
export type ItemStates = readonly ItemState[];

export function getItemId({ item_id, item }: ResponseEvent): string | undefined {
  return item_id ?? item?.id;
}

/** The items after an event. */
export function updateItemStates(items: ItemStates, event: ResponseEvent): ItemStates {
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

function withContent(items: ItemStates, event: ResponseEvent, content: ItemState['content']): ItemStates {
  const id = getItemId(event);
  return items.map((item) => (item.id === id ? { ...item, content } : item));
}
