import type { JsonObject } from '../../json/json-object.ts';
import { isJsonObject } from './json.ts';
import type { CompletionShape } from './route-table.ts';

/** The beginning of a completion that a request contains, as its final assistant message. */
export interface Prefill {
  /** Its texts, which llama-server joins in its own way. */
  readonly texts: readonly string[];
  /** The reasoning before it. */
  readonly reasoning: string;
}

/** Undefined where the request has no beginning of its completion. */
export function readPrefill(shape: CompletionShape, { messages, input }: JsonObject): Prefill | undefined {
  if (shape === 'completion') return undefined;
  const prefill = shape === 'response' ? readItems(input) : readMessage(messages);
  if (prefill === undefined) return undefined;
  return prefill.reasoning === '' && prefill.texts.every((text) => text === '') ? undefined : prefill;
}

/** Whether the client wants the beginning to be repeated. Only `/v1/messages` ignores the field. */
export const wantsEcho = (shape: CompletionShape, { echo }: JsonObject): boolean =>
  shape !== 'message' && Boolean(echo);

function readMessage(messages: unknown): Prefill | undefined {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return isJsonObject(last) && last.role === 'assistant' ? readContent(last) : undefined;
}

/** llama-server joins consecutive items of the assistant to one message. */
function readItems(input: unknown): Prefill | undefined {
  const items: unknown[] = Array.isArray(input) ? input : [];
  const isOther = (item: unknown) => !isJsonObject(item) || !isOfAssistant(item);
  const own = items.slice(items.findLastIndex(isOther) + 1).filter(isJsonObject);
  if (own.length === 0) return undefined;
  const parts = own.map(readContent);
  return {
    texts: parts.flatMap(({ texts }) => texts),
    reasoning: parts.map(({ reasoning }) => reasoning).join(''),
  };
}

const isOfAssistant = ({ role, type }: JsonObject) =>
  role === 'assistant' || type === 'reasoning' || type === 'function_call';

function readContent({ type, content, reasoning_content }: JsonObject): Prefill {
  const reasoning = toText(reasoning_content);
  if (typeof content === 'string') return { texts: [content], reasoning };
  const parts = Array.isArray(content) ? content.filter(isJsonObject) : [];
  const isReasoning = (part: JsonObject) => type === 'reasoning' || part.type === 'thinking';
  const more = parts.filter(isReasoning).map(({ thinking, text }) => toText(thinking ?? text));
  return {
    texts: parts.filter((part) => !isReasoning(part) && 'text' in part).map(({ text }) => toText(text)),
    reasoning: reasoning + more.join(''),
  };
}

const toText = (value: unknown) => (typeof value === 'string' ? value : '');
