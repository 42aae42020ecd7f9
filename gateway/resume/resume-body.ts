import { appendFields } from '../api/json-text.ts';
import { getOutputLimit } from '../api/request-fields.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { withContinueFields } from './continue-fields.ts';
import type { TranscriptText } from './transcript.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The same request, with what was said already as the beginning of its answer, which is to be continued. */
export function bodyWithText(
  shape: CompletionShape,
  body: Buffer,
  fields: Fields,
  said: TranscriptText,
): Buffer {
  return withContinueFields(shape, appendFields(body, membersOf(beginnings[shape](fields, said))));
}

/** The same request, allowed only what is left of its tokens after `spent`. Never less than one: 0 would mean one, too. */
export function bodyWithTokensLeft(
  shape: CompletionShape,
  body: Buffer,
  fields: Fields,
  spent: number,
): Buffer {
  const { name, tokens } = getOutputLimit(shape, fields);
  return tokens === undefined ? body : appendFields(body, membersOf({ [name]: Math.max(tokens - spent, 1) }));
}

/** The same request, allowed a single token, which ends it. */
export function bodyForOneToken(shape: CompletionShape, body: Buffer, fields: Fields): Buffer {
  return appendFields(body, membersOf({ [getOutputLimit(shape, fields).name]: 1 }));
}

/** Whether nothing is left to be said after `spent` tokens. */
export function isLimitReached(shape: CompletionShape, fields: Fields, spent: number): boolean {
  return (getOutputLimit(shape, fields).tokens ?? Number.POSITIVE_INFINITY) <= spent;
}

const beginnings: Readonly<Record<CompletionShape, (fields: Fields, said: TranscriptText) => Fields>> = {
  chat: ({ messages }, said) => ({ messages: afterMessages(messages, said, {}, 'text') }),
  message: ({ messages }, said) => ({ messages: afterMessages(messages, said, {}, 'text') }),
  response: ({ input }, said) => {
    const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    return { input: afterMessages(items, said, { type: 'message', content: [] }, 'output_text') };
  },
  completion: ({ prompt }, { content }) => ({ prompt: afterPrompt(prompt, content) }),
};

interface Begun {
  readonly role?: unknown;
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
}

/** The messages with one more; a client that began the answer itself has its beginning lengthened instead. */
function afterMessages(messages: unknown, said: TranscriptText, empty: object, textType: string): unknown[] {
  const list: unknown[] = Array.isArray(messages) ? messages : [];
  const last = list.at(-1) as Begun | null | undefined;
  const isBegun = last?.role === 'assistant';
  const begun: Begun = isBegun ? last : { role: 'assistant', ...empty };
  const { reasoning_content: thought } = begun;
  const lengthened = {
    ...begun,
    ...(said.reasoning === '' ? {} : { reasoning_content: asText(thought) + said.reasoning }),
    content: withText(begun.content, said.content, textType),
  };
  return [...(isBegun ? list.slice(0, -1) : list), lengthened];
}

/** The last text is lengthened: one more part llama-server may set apart by a line of its own. */
function withText(begun: unknown, content: string, textType: string): unknown {
  if (!Array.isArray(begun)) return asText(begun) + content;
  const last = begun.at(-1) as { text?: unknown } | undefined;
  if (typeof last?.text !== 'string') return [...begun, { type: textType, text: content }];
  return [...begun.slice(0, -1), { ...last, text: last.text + content }];
}

const asText = (value: unknown) => (typeof value === 'string' ? value : '');

/** llama-server takes a prompt of text, of token numbers, and of both mixed. */
function afterPrompt(prompt: unknown, content: string): unknown {
  if (!Array.isArray(prompt)) return typeof prompt === 'string' ? prompt + content : content;
  const [only] = prompt;
  if (prompt.length === 1 && typeof only === 'string') return only + content;
  if (prompt.length === 1 && Array.isArray(only)) return [...only, content];
  return [...prompt, content];
}

/** The members of an object as JSON writes them, without its braces. */
const membersOf = (fields: Fields) => JSON.stringify(fields).slice(1, -1);
