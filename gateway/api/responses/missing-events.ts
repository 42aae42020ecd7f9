import { getItemId, type ItemStates } from './item-states.ts';
import type { ResponseEvent } from './response-event.ts';
import type { OutputItem } from './response-object.ts';

/** The events that OpenAI sends before this one and llama-server does not. */
export function missingEventsBefore(items: ItemStates, event: ResponseEvent): readonly ResponseEvent[] {
  const id = getItemId(event);
  const content = items.find((item) => item.id === id)?.content;
  if (id === undefined || content === undefined) return [];
  if (event.type === 'response.reasoning_text.delta' && content === 'unopened') return [openingOfThought(id)];
  if (event.type !== 'response.output_item.done' || event.item === undefined) return [];
  if (event.item.type === 'reasoning' && content === 'open') return closingOfThought(id, event.item);
  if (event.item.type === 'function_call' && content !== 'closed') return [closingOfCall(id, event.item)];
  return [];
}

function openingOfThought(item_id: string): ResponseEvent {
  return { type: 'response.content_part.added', item_id, part: reasoningText('') };
}

function closingOfThought(item_id: string, item: OutputItem): readonly ResponseEvent[] {
  const text = textOf(item);
  return [
    { type: 'response.reasoning_text.done', item_id, text },
    { type: 'response.content_part.done', item_id, part: reasoningText(text) },
  ];
}

function closingOfCall(item_id: string, item: OutputItem): ResponseEvent {
  return { type: 'response.function_call_arguments.done', item_id, arguments: item.arguments };
}

const reasoningText = (text: string) => ({ type: 'reasoning_text', text });

function textOf({ content }: OutputItem): string {
  const parts = Array.isArray(content) ? (content as { readonly text?: string }[]) : [];
  return parts[0]?.text ?? '';
}
