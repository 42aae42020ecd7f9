import type { JsonObject } from '../../json/json-object.ts';
import { appendFields, isJsonObject } from './json.ts';
import { wantsEcho } from './prefill.ts';
import type { CompletionShape } from './route-table.ts';

/** Aggregates the events of a stream to the JSON object that the backend would have sent without streaming. */
export interface EventAggregator {
  /** The next event of the stream, parsed. */
  add(event: unknown): void;
  /** The complete object; undefined where the stream ended too soon. */
  result(): object | undefined;
}

/** The same, also for events that are not parsed. */
export interface Aggregator extends EventAggregator {
  /** Adds the event at `at` if it has text alone, and returns where it ends; else -1, and it is to be parsed and added. */
  addText(events: Buffer, at: number): number;
}

/** How the stream of a request becomes the JSON object that its client waits for. */
export interface AggregationPlan {
  readonly shape: CompletionShape;
  /** The beginning that the engine's own JSON response has and its stream does not repeat. */
  readonly prefix: string;
}

/**
 * Undefined where a stream lacks something that the JSON response has, as with `verbose`. Anthropic's API gives only the new
 * text, whatever the request began with, and every stream has that (`hasPrefix` is false).
 */
export function planAggregation(
  shape: CompletionShape,
  fields: JsonObject,
  hasPrefix: boolean,
): AggregationPlan | undefined {
  if (!hasPrefix) return { shape, prefix: '' };
  const prefix = fields.verbose ? undefined : getCompletionPrefix(shape, fields);
  return prefix === undefined ? undefined : { shape, prefix };
}

/**
 * llama-server continues a final assistant message. Its JSON response begins with that message; its stream has only what
 * follows. Undefined where llama-server may parse the message as more than plain text: only its own JSON response shows the result.
 */
export function getCompletionPrefix(shape: CompletionShape, fields: JsonObject): string | undefined {
  // The last event of a Responses stream has the whole output, /v1/completions does not repeat its prompt, and Anthropic's
  // API gives only the new text.
  if (shape !== 'chat') return '';
  const { messages, tools, continue_final_message: continued } = fields;
  // It may name the reasoning as what is to be continued.
  if (typeof continued === 'string') return undefined;
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!isJsonObject(last) || last.role !== 'assistant' || wantsEcho(shape, fields)) return '';
  const { content, reasoning_content, tool_calls } = last;
  if (reasoning_content || tool_calls || tools) return undefined;
  const text = getText(content);
  return text === undefined || markup.test(text) ? undefined : text;
}

/** The beginnings of reasoning and tool calls in the formats of various models: `<think>`, `[TOOL_CALLS]`, `>>>`. */
const markup = /[<[]|>>>/;

/** Undefined for several parts, which llama-server joins in its own way. */
function getText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === null) return '';
  if (!Array.isArray(content) || content.length !== 1) return undefined;
  const [part] = content;
  return isJsonObject(part) && part.type === 'text' && typeof part.text === 'string' ? part.text : undefined;
}

const streamed = '"stream":true';
const streamedWithUsage = '"stream":true,"stream_options":{"include_usage":true}';

/** The same JSON object, asking for a stream. */
export function requestStream(shape: CompletionShape, body: Buffer): Buffer {
  const hasOptions = shape === 'chat' || shape === 'completion';
  return appendFields(body, hasOptions ? streamedWithUsage : streamed);
}
