import { wantsEcho } from '../prefill.ts';
import type { CompletionShape } from './aggregator.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What the answer in one piece begins with, of which its stream tells only the rest: llama-server continues a last message
 * of the assistant. Undefined where it may take that message for more than plain text, and only its own answer in one
 * piece tells for what.
 */
export function getCompletionPrefix(shape: CompletionShape, fields: Fields): string | undefined {
  // The last event of a Responses stream tells all of the answer, /v1/completions does not repeat its prompt, and
  // Anthropic's API tells what is new alone.
  if (shape !== 'chat') return '';
  const { messages, tools, continue_final_message: wish } = fields;
  // Its thought may be meant.
  if (typeof wish === 'string') return undefined;
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!isFields(last) || last.role !== 'assistant' || wantsEcho(shape, fields)) return '';
  const { content, reasoning_content, tool_calls } = last;
  if (reasoning_content || tool_calls || tools) return undefined;
  const text = textOf(content);
  return text === undefined || marks.test(text) ? undefined : text;
}

/** What thoughts and calls of tools begin with in one model's words or another's: `<think>`, `[TOOL_CALLS]`, `>>>`. */
const marks = /[<[]|>>>/;

/** Several parts it would join in its own way. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === null) return '';
  if (!Array.isArray(content) || content.length !== 1) return undefined;
  const [part] = content;
  return isFields(part) && part.type === 'text' && typeof part.text === 'string' ? part.text : undefined;
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
