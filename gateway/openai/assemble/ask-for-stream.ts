import { withMembers } from '../more-members.ts';
import type { AnswerShape } from './assembly.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Whether the stream of a request tells all that its answer in one piece would. It does not where an assistant's message
 * is to be continued, whose answer begins with that message, as llama-server understood it; nor with `verbose`.
 */
export function tellsAllInAStream(shape: AnswerShape, fields: Fields): boolean {
  if (fields.verbose) return false;
  const { messages, input } = fields;
  const list = shape === 'response' ? input : messages;
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  return (last as { role?: unknown } | null | undefined)?.role !== 'assistant';
}

const streamed = '"stream":true';
const withUsage = '"stream":true,"stream_options":{"include_usage":true}';
/** The same JSON object, asking for a stream. */
export function askForStream(shape: AnswerShape, body: Buffer): Buffer {
  const hasOptions = shape === 'chat' || shape === 'completion';
  return withMembers(body, hasOptions ? withUsage : streamed);
}
