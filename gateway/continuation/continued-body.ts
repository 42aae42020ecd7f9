import { answerLimit } from '../openai/answer-limit.ts';
import type { AnswerShape } from '../openai/assemble/assembly.ts';
import { withMembers } from '../openai/more-members.ts';
import type { Said } from './spoken.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The same request, with what was said already as the beginning of its answer. */
export function bodyWithSaid(shape: AnswerShape, body: Buffer, fields: Fields, said: Said): Buffer {
  return withMembers(body, membersOf(beginnings[shape](fields, said)));
}

/** The same request, allowed only what is left of its tokens after `spent`. Never less than one: 0 would mean one, too. */
export function bodyWithTokensLeft(shape: AnswerShape, body: Buffer, fields: Fields, spent: number): Buffer {
  const { name, tokens } = answerLimit(shape, fields);
  return tokens === undefined ? body : withMembers(body, membersOf({ [name]: Math.max(tokens - spent, 1) }));
}

/** The same request, allowed a single token, which ends it. */
export function bodyForTheEnd(shape: AnswerShape, body: Buffer, fields: Fields): Buffer {
  return withMembers(body, membersOf({ [answerLimit(shape, fields).name]: 1 }));
}

/** Whether nothing is left to be said after `spent` tokens. */
export function isSpent(shape: AnswerShape, fields: Fields, spent: number): boolean {
  return (answerLimit(shape, fields).tokens ?? Number.POSITIVE_INFINITY) <= spent;
}

const beginnings: Readonly<Record<AnswerShape, (fields: Fields, said: Said) => Fields>> = {
  chat: ({ messages }, { content, reasoning }) => ({
    messages: afterMessages(messages, content, {
      role: 'assistant',
      ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      content,
    }),
  }),
  message: ({ messages }, { content }) => ({
    messages: afterMessages(messages, content, { role: 'assistant', content }),
  }),
  response: ({ input }, { content }) => ({
    input: afterMessages(typeof input === 'string' ? [{ role: 'user', content: input }] : input, content, {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: content }],
    }),
  }),
  completion: ({ prompt }, { content }) => ({ prompt: afterPrompt(prompt, content) }),
};

/** The messages with one more; a client that began the answer itself has its beginning lengthened instead. */
function afterMessages(messages: unknown, content: string, added: object): unknown[] {
  const list: unknown[] = Array.isArray(messages) ? messages : [];
  const last = list.at(-1) as Begun | null | undefined;
  if (last?.role !== 'assistant') return [...list, added];
  return [...list.slice(0, -1), { ...last, content: lengthened(last.content, content) }];
}

interface Begun {
  readonly role?: unknown;
  readonly content?: unknown;
}

function lengthened(begun: unknown, content: string): unknown {
  if (!Array.isArray(begun)) return typeof begun === 'string' ? begun + content : content;
  const type = (begun.at(-1) as { type?: unknown } | undefined)?.type ?? 'text';
  return [...begun, { type, text: content }];
}

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
