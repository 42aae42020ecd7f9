import type { CompletionShape } from './route-table.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The beginning of an answer that stands at the end of a request, as a last message of the assistant. */
export interface Prefill {
  /** Its texts, which llama-server joins in its own way. */
  readonly texts: readonly string[];
  /** The thought before it. */
  readonly reasoning: string;
}

/** What a request says of the beginning of its answer; undefined where it has none. */
export function readPrefill(shape: CompletionShape, { messages, input }: Fields): Prefill | undefined {
  if (shape === 'completion') return undefined;
  const prefill = shape === 'response' ? ofItems(input) : ofMessage(messages);
  if (prefill === undefined) return undefined;
  return prefill.reasoning === '' && prefill.texts.every((text) => text === '') ? undefined : prefill;
}

/** Whether the client itself wants the beginning told again. Only `/v1/messages` does not read the field. */
export const wantsEcho = (shape: CompletionShape, { echo }: Fields): boolean =>
  shape !== 'message' && Boolean(echo);

/** Whether the client says itself that the last message is to be continued, in llama-server's own words. */
export const continuesFinalMessage = (
  shape: CompletionShape,
  { continue_final_message: wish }: Fields,
): boolean => shape !== 'message' && Boolean(wish);

function ofMessage(messages: unknown): Prefill | undefined {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return isFields(last) && last.role === 'assistant' ? prefillIn(last) : undefined;
}

/** llama-server makes one message of all the assistant's items in a row. */
function ofItems(input: unknown): Prefill | undefined {
  const items: unknown[] = Array.isArray(input) ? input : [];
  const isOthers = (item: unknown) => !isFields(item) || !isAssistants(item);
  const own = items.slice(items.findLastIndex(isOthers) + 1).filter(isFields);
  if (own.length === 0) return undefined;
  const parts = own.map(prefillIn);
  return {
    texts: parts.flatMap(({ texts }) => texts),
    reasoning: parts.map(({ reasoning }) => reasoning).join(''),
  };
}

const isAssistants = ({ role, type }: Fields) =>
  role === 'assistant' || type === 'reasoning' || type === 'function_call';

function prefillIn({ type, content, reasoning_content }: Fields): Prefill {
  const thought = typeof reasoning_content === 'string' ? reasoning_content : '';
  if (typeof content === 'string') return { texts: [content], reasoning: thought };
  const parts = Array.isArray(content) ? content.filter(isFields) : [];
  const isThought = (part: Fields) => type === 'reasoning' || part.type === 'thinking';
  const thoughts = parts.filter(isThought).map(({ thinking, text }) => asText(thinking ?? text));
  return {
    texts: parts.filter((part) => !isThought(part) && 'text' in part).map(({ text }) => asText(text)),
    reasoning: thought + thoughts.join(''),
  };
}

const asText = (value: unknown) => (typeof value === 'string' ? value : '');
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
