import { appendFields } from '../api/json.ts';
import { getOutputLimit } from '../api/request-size.ts';
import type { CompletionShape } from '../api/route-table.ts';
import type { TranscriptText } from './transcript.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields that make llama-server continue the last message and return only the new text. Which of them are its defaults
 * differs from build to build. `/v1/messages` reads none of them.
 */
export const continueFields = {
  continue_final_message: true,
  add_generation_prompt: false,
  echo: false,
} as const;

/** Whether an API of llama-server reads these fields. */
export const supportsContinueFields = (shape: CompletionShape): boolean =>
  shape === 'chat' || shape === 'response';

/** The same request with these fields, if its API reads them. */
export function withContinueFields(shape: CompletionShape, body: Buffer): Buffer {
  return supportsContinueFields(shape) ? appendFields(body, toMembers(continueFields)) : body;
}

/** The same request, with the text so far as the beginning of its response, which is to be continued. */
export function bodyWithText(
  shape: CompletionShape,
  body: Buffer,
  fields: Fields,
  text: TranscriptText,
): Buffer {
  return withContinueFields(shape, appendFields(body, toMembers(appendText[shape](fields, text))));
}

/** The same request, with its token limit lowered by what was generated. Never less than one: 0 would mean one as well. */
export function bodyWithTokensLeft(
  shape: CompletionShape,
  body: Buffer,
  fields: Fields,
  generated: number,
): Buffer {
  const { name, tokens } = getOutputLimit(shape, fields);
  return tokens === undefined
    ? body
    : appendFields(body, toMembers({ [name]: Math.max(tokens - generated, 1) }));
}

/** The same request, limited to a single token, which ends it. */
export function bodyForOneToken(shape: CompletionShape, body: Buffer, fields: Fields): Buffer {
  return appendFields(body, toMembers({ [getOutputLimit(shape, fields).name]: 1 }));
}

/** Whether all tokens that the request allows are generated. */
export function isLimitReached(shape: CompletionShape, fields: Fields, generated: number): boolean {
  return (getOutputLimit(shape, fields).tokens ?? Number.POSITIVE_INFINITY) <= generated;
}

const appendText: Readonly<Record<CompletionShape, (fields: Fields, text: TranscriptText) => Fields>> = {
  chat: ({ messages }, text) => ({ messages: appendToMessages(messages, text, {}, 'text') }),
  message: ({ messages }, text) => ({ messages: appendToMessages(messages, text, {}, 'text') }),
  response: ({ input }, text) => {
    const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    return { input: appendToMessages(items, text, { type: 'message', content: [] }, 'output_text') };
  },
  completion: ({ prompt }, { content }) => ({ prompt: appendToPrompt(prompt, content) }),
};

interface Message {
  readonly role?: unknown;
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
}

/** Adds a message of the assistant. If the client sent a prefill, that is extended instead. */
function appendToMessages(
  messages: unknown,
  text: TranscriptText,
  empty: object,
  partType: string,
): unknown[] {
  const list: unknown[] = Array.isArray(messages) ? messages : [];
  const last = list.at(-1) as Message | null | undefined;
  const hasPrefill = last?.role === 'assistant';
  const prefill: Message = hasPrefill ? last : { role: 'assistant', ...empty };
  const { reasoning_content: reasoning } = prefill;
  const extended = {
    ...prefill,
    ...(text.reasoning === '' ? {} : { reasoning_content: toText(reasoning) + text.reasoning }),
    content: appendToContent(prefill.content, text.content, partType),
  };
  return [...(hasPrefill ? list.slice(0, -1) : list), extended];
}

/** Extends the last text: llama-server might separate a further part by a line break. */
function appendToContent(existing: unknown, content: string, partType: string): unknown {
  if (!Array.isArray(existing)) return toText(existing) + content;
  const last = existing.at(-1) as { text?: unknown } | undefined;
  if (typeof last?.text !== 'string') return [...existing, { type: partType, text: content }];
  return [...existing.slice(0, -1), { ...last, text: last.text + content }];
}

const toText = (value: unknown) => (typeof value === 'string' ? value : '');

/** llama-server accepts a prompt of text, of token numbers, and of both mixed. */
function appendToPrompt(prompt: unknown, content: string): unknown {
  if (!Array.isArray(prompt)) return typeof prompt === 'string' ? prompt + content : content;
  const [only] = prompt;
  if (prompt.length === 1 && typeof only === 'string') return only + content;
  if (prompt.length === 1 && Array.isArray(only)) return [...only, content];
  return [...prompt, content];
}

/** The members of an object as JSON, without its braces. */
const toMembers = (fields: Fields) => JSON.stringify(fields).slice(1, -1);
