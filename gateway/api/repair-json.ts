import { findExceededLimit, isEscaped } from '../../json/json-limits.ts';
import { isJsonObject, replaceLoneSurrogates } from './json.ts';

/**
 * The arguments of a tool call as the text of one JSON object; the same text where it is one already. Models make mistakes or
 * are cut off in the middle of a call, agents send that back with every turn, and llama-server rejects the whole conversation.
 */
export function repairArguments(text: string): string {
  const clean = replaceLoneSurrogates(text);
  if (isObjectText(clean)) return clean;
  if (clean.trim() === '') return '{}';
  const closed = isDeep(clean) ? undefined : closeJson(clean);
  if (closed !== undefined && isObjectText(closed)) return closed;
  return unwrap(clean) ?? JSON.stringify({ _unparsed: clean });
}

/** The same for a value that should be an object, not its text (Anthropic's `input`). */
export function repairInput(input: unknown): unknown {
  if (isJsonObject(input)) return input;
  if (input === undefined || input === null) return {};
  if (typeof input === 'string')
    return isDeep(input) ? { _unparsed: input } : JSON.parse(repairArguments(input));
  return { _unparsed: JSON.stringify(input) };
}

/** Deeply nested text is kept as text: llama-server and `JSON.stringify` visit objects by recursion. */
const isDeep = (text: string) =>
  findExceededLimit(text, { levels: MAX_LEVELS, values: Number.POSITIVE_INFINITY }) !== undefined;
const MAX_LEVELS = 64;

function isObjectText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** An object that was converted to JSON twice. */
function unwrap(text: string): string | undefined {
  try {
    const inner: unknown = JSON.parse(text);
    return typeof inner === 'string' && isObjectText(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Completes a JSON text that was cut off: closes the open string, adds what an open member or element lacks, and closes the
 * brackets. Undefined where the text cannot have been JSON before it was cut off.
 */
function closeJson(text: string): string | undefined {
  const closers: string[] = [];
  let isInString = false;
  let escapedAt = -1;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (isInString) {
      if (mark === '\\') {
        escapedAt = at;
        at += 1;
      } else if (mark === '"') isInString = false;
    } else if (mark === '"') isInString = true;
    else if (mark === '{') closers.push('}');
    else if (mark === '[') closers.push(']');
    else if ((mark === '}' || mark === ']') && closers.pop() !== mark) return undefined;
  }
  if (closers.length === 0) return undefined;
  const body = isInString ? `${withoutPartialEscape(text, escapedAt)}"` : text;
  return completeMember(body, closers.at(-1) === '}') + closers.reverse().join('');
}

/** `\` and `\u12` at the end are incomplete. */
function withoutPartialEscape(text: string, at: number): string {
  const last = at === -1 ? '' : text.slice(at);
  const isPartial = last === '\\' || /^\\u[\da-fA-F]{0,3}$/.test(last);
  return isPartial ? text.slice(0, at) : text;
}

/** Completes what is open before the brackets: a literal or number cut short, a comma, a name without its value. */
function completeMember(text: string, isInObject: boolean): string {
  const trimmed = text.trimEnd();
  const tail = trimmed
    .slice(-TAIL_LENGTH)
    .replace(/(?<=^|[:,[\s])(?:tru?|t|fals?|fa?|nul?|n|-)$/, 'null')
    .replace(/(?<=\d)(?:\.|[eE][-+]?)$/, '')
    .replace(/,$/, '');
  const body = trimmed.slice(0, -TAIL_LENGTH) + tail;
  if (body.endsWith(':')) return `${body}null`;
  return isInObject && lacksValue(body) ? `${body}:null` : body;
}

/** Only the end is searched: a text may have megabytes. */
const TAIL_LENGTH = 8;

/** Whether the last string is the name of a member: it follows a comma or the opening brace. */
function lacksValue(text: string): boolean {
  if (!text.endsWith('"')) return false;
  let start = text.length - 2;
  while (start >= 0 && !(text[start] === '"' && !isEscaped(text, start))) start -= 1;
  let before = start - 1;
  while (before >= 0 && /\s/.test(text[before] ?? '')) before -= 1;
  return text[before] === '{' || text[before] === ',';
}
