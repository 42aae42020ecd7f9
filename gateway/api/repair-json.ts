import { findExceededLimit } from './json-limits.ts';
import { isJsonObject } from './json-object.ts';
import { replaceLoneSurrogates } from './lone-surrogates.ts';

/**
 * The arguments of a tool call as a text that holds one JSON object; the same text where it does already. Models are cut
 * in mid-call and err, agents send that back with every turn, and llama-server refuses the whole conversation for it.
 */
export function repairArguments(text: string): string {
  const sound = replaceLoneSurrogates(text);
  if (holdsObject(sound)) return sound;
  if (sound.trim() === '') return '{}';
  const closed = isDeep(sound) ? undefined : closeJson(sound);
  if (closed !== undefined && holdsObject(closed)) return closed;
  return unfold(sound) ?? JSON.stringify({ _unparsed: sound });
}

/** The same for a value that should be an object and not its text (Anthropic's `input`). */
export function repairInput(input: unknown): unknown {
  if (isJsonObject(input)) return input;
  if (input === undefined || input === null) return {};
  if (typeof input === 'string')
    return isDeep(input) ? { _unparsed: input } : JSON.parse(repairArguments(input));
  return { _unparsed: JSON.stringify(input) };
}

/** What would be nested so deeply stays a text: llama-server and JavaScript's own writer walk objects by recursion. */
const isDeep = (text: string) =>
  findExceededLimit(Buffer.from(text), { levels: MOST_LEVELS, values: Number.POSITIVE_INFINITY }) !==
  undefined;
const MOST_LEVELS = 64;

function holdsObject(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** An object that was written as JSON twice. */
function unfold(text: string): string | undefined {
  try {
    const inner: unknown = JSON.parse(text);
    return typeof inner === 'string' && holdsObject(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A JSON text that was cut, closed: the open string, then what an open member or element lacks, then the brackets.
 * Undefined where it cannot have been JSON before it was cut.
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
  const whole = isInString ? `${withoutHalfEscape(text, escapedAt)}"` : text;
  return completed(whole, closers.at(-1) === '}') + closers.reverse().join('');
}

/** `\` and `\u12` at the end say nothing yet. */
function withoutHalfEscape(text: string, at: number): string {
  const last = at === -1 ? '' : text.slice(at);
  const isHalf = last === '\\' || /^\\u[\da-fA-F]{0,3}$/.test(last);
  return isHalf ? text.slice(0, at) : text;
}

/** What stands open before the brackets: a word or number cut short, a comma, a name without its value. */
function completed(text: string, isInObject: boolean): string {
  const whole = text.trimEnd();
  const body = whole.slice(0, -LONGEST_WORD);
  const tail = whole
    .slice(-LONGEST_WORD)
    .replace(/(?<=^|[:,[\s])(?:tru?|t|fals?|fa?|nul?|n|-)$/, 'null')
    .replace(/(?<=\d)(?:\.|[eE][-+]?)$/, '')
    .replace(/,$/, '');
  const trimmed = body + tail;
  if (trimmed.endsWith(':')) return `${trimmed}null`;
  return isInObject && lacksValue(trimmed) ? `${trimmed}:null` : trimmed;
}

/** Looked for at the end only: a text may be megabytes. */
const LONGEST_WORD = 8;

/** Whether the last string is a member's name: what stands before it is a comma or the opening bracket. */
function lacksValue(text: string): boolean {
  if (!text.endsWith('"')) return false;
  let start = text.length - 2;
  while (start >= 0 && !(text[start] === '"' && !isEscaped(text, start))) start -= 1;
  let before = start - 1;
  while (before >= 0 && /\s/.test(text[before] ?? '')) before -= 1;
  return text[before] === '{' || text[before] === ',';
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
