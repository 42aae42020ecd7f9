import type { JsonObject } from '../../../json/json-object.ts';
import { isJsonObject } from '../json.ts';
import type { ResponsesApiEvent } from './stream-state.ts';

/** An event without its number. */
type Unnumbered = { readonly type: string } & JsonObject;

/**
 * A stream of a response that has ended, for one whose own events are gone: each text comes as one delta.
 */
export function replayEvents(response: JsonObject): readonly ResponsesApiEvent[] {
  const begun = { ...response, status: 'in_progress', output: [], usage: null, completed_at: null };
  const items = Array.isArray(response.output) ? response.output.filter(isJsonObject) : [];
  const events: readonly Unnumbered[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...items.flatMap(eventsOfItem),
    lastEventOf(response),
  ];
  return events.map((event, sequence_number) => ({ ...event, sequence_number }) as ResponsesApiEvent);
}

/** The event with which a response has ended. OpenAI has none for one that was cancelled. */
export function lastEventOf(response: JsonObject): Unnumbered {
  const { status } = response;
  const type = status === 'completed' || status === 'incomplete' ? `response.${status}` : 'response.failed';
  return { type, response };
}

function eventsOfItem(item: JsonObject, output_index: number): readonly Unnumbered[] {
  const place = { item_id: item.id, output_index };
  const { type, content } = item;
  const parts = Array.isArray(content) ? content.filter(isJsonObject) : [];
  const call = calls[String(type)];
  const opened = call ? { [call.field]: '' } : { content: [] };
  return [
    { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', ...opened } },
    ...(call ? eventsOfText(call.event, place, { [call.field]: item[call.field] }) : []),
    ...parts.flatMap((part, content_index) => eventsOfPart(part, { ...place, content_index })),
    { type: 'response.output_item.done', output_index, item },
  ];
}

/** What a call is made of, and its events. */
const calls: Readonly<Record<string, { readonly field: string; readonly event: string }>> = {
  function_call: { field: 'arguments', event: 'response.function_call_arguments' },
  custom_tool_call: { field: 'input', event: 'response.custom_tool_call_input' },
};

const textEvents: Readonly<Record<string, string>> = {
  output_text: 'response.output_text',
  reasoning_text: 'response.reasoning_text',
};

function eventsOfPart(part: JsonObject, place: JsonObject): readonly Unnumbered[] {
  const event = textEvents[String(part.type)];
  if (event === undefined) return [];
  const logprobs = event === 'response.output_text' ? { logprobs: [] } : {};
  return [
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...eventsOfText(event, { ...place, ...logprobs }, { text: part.text }),
    { type: 'response.content_part.done', ...place, part },
  ];
}

function eventsOfText(event: string, place: JsonObject, whole: JsonObject): readonly Unnumbered[] {
  const [text] = Object.values(whole);
  return [
    { type: `${event}.delta`, ...place, delta: text },
    { type: `${event}.done`, ...place, ...whole },
  ];
}
