import type { JsonObject } from '../../../json/json-object.ts';
import { unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields, withoutNulls } from '../json.ts';
import { type NormalizationNotes, stripBillingLine } from '../normalization.ts';
import { repairArguments } from '../repair-json.ts';

/** The messages of a chat in the form that llama-server reads. */
export function normalizeChatMessages(
  messages: readonly unknown[],
  notes: NormalizationNotes,
): readonly unknown[] {
  const legacyCalls = new LegacyCalls();
  return mapList(messages, (message, index) => {
    if (!isJsonObject(message) || (index > 0 && isPlainText(message))) return message;
    const place = `messages[${index}]`;
    const stripped = index === 0 && message.role === 'system' ? withoutBillingLine(message) : message;
    if (stripped === undefined) return undefined;
    const named = withoutNulls(legacyCalls.convert(stripped), ['name', 'reasoning_content', 'tool_call_id']);
    return normalizeCalls(normalizeContent(named, place), notes);
  });
}

/** A role and a text, as most messages are: nothing in it needs a change. */
function isPlainText(message: JsonObject): boolean {
  for (const name in message) if (name !== 'role' && name !== 'content') return false;
  return typeof message.content === 'string' && message.role !== 'function';
}

/** A router between Claude Code and us passes its system prompt on in a chat, with the billing line. */
function withoutBillingLine(message: JsonObject): JsonObject | undefined {
  const content = stripBillingLine(message.content);
  return content === undefined && message.content !== undefined
    ? undefined
    : withFields(message, { content });
}

/** Converts function calls of the API before tools. They had no ids: each result belongs to the call before it. */
class LegacyCalls {
  #count = 0;

  convert(message: JsonObject): JsonObject {
    const { role, function_call, tool_calls } = message;
    if (role === 'function') return withFields(message, { role: 'tool', tool_call_id: this.#id });
    if (role !== 'assistant' || !isJsonObject(function_call)) return message;
    this.#count += 1;
    const call = { id: this.#id, type: 'function', function: function_call };
    return withFields(message, { function_call: undefined, tool_calls: tool_calls ?? [call] });
  }

  get #id(): string {
    return `call_function_${this.#count}`;
  }
}

function normalizeContent(message: JsonObject, place: string): JsonObject {
  const { role, content, refusal, audio, tool_calls } = message;
  if (isJsonObject(audio))
    throw unsupportedValue(
      `${place}.audio`,
      'refers to the audio of an earlier completion, which this server does not store. Send its text.',
    );
  if (Array.isArray(content)) {
    return withFields(message, {
      content: mapList(content, (part, index) => normalizePart(part, `${place}.content[${index}]`)),
    });
  }
  if (role !== 'assistant' || (content !== undefined && content !== null)) return message;
  if (typeof refusal === 'string') return withFields(message, { content: refusal });
  return content === undefined && !Array.isArray(tool_calls) ? withFields(message, { content: '' }) : message;
}

function normalizePart(part: unknown, place: string): unknown {
  if (!isJsonObject(part)) return part;
  if (part.type === 'refusal') return { type: 'text', text: part.refusal };
  if (part.type === 'file' || part.type === 'input_file')
    throw unsupportedValue(
      place,
      'is a file, which llama-server cannot read. Send its text, or its pages as images.',
    );
  return part;
}

function normalizeCalls(message: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tool_calls } = message;
  if (tool_calls === null) return withFields(message, { tool_calls: undefined });
  if (!Array.isArray(tool_calls)) return message;
  return withFields(message, { tool_calls: mapList(tool_calls, (call) => normalizeCall(call, notes)) });
}

function normalizeCall(call: unknown, notes: NormalizationNotes): unknown {
  if (!isJsonObject(call)) return call;
  const { type, custom } = call;
  if (type === 'custom' && isJsonObject(custom)) {
    const converted = { name: custom.name, arguments: JSON.stringify({ input: custom.input }) };
    return withFields(call, { type: 'function', custom: undefined, function: converted });
  }
  if (!isJsonObject(call.function)) return call;
  return withFields(withoutNulls(call, ['id']), {
    type: type ?? 'function',
    function: repairCall(call.function, notes),
  });
}

/** Arguments that are an object need no repair: llama-server writes them as text itself. */
function repairCall(call: JsonObject, notes: NormalizationNotes): JsonObject {
  const { arguments: given } = call;
  if (isJsonObject(given)) return call;
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const repaired = withFields(call, { arguments: repairArguments(text) });
  if (repaired !== call) notes.repaired += 1;
  return repaired;
}

const MISSING_OUTPUT = '(The output of this call was lost.)';

/**
 * Adds the output of a tool call, or the call of an output, where a client lost one of the two: OpenAI rejects such a
 * history, and most chat templates fail on it. A call in the last message is about to get its output or be continued, and outputs
 * that follow a call belong to it whatever their ids are: both are not changed.
 */
export function pairChatCalls(messages: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const paired: unknown[] = [];
  let open: readonly unknown[] = [];
  let isAfterCall = false;
  const close = () => {
    for (const id of open) paired.push({ role: 'tool', tool_call_id: id, content: MISSING_OUTPUT });
    notes.repaired += open.length;
    open = [];
  };
  for (const message of messages) {
    const role = isJsonObject(message) ? message.role : undefined;
    if (role !== 'tool') {
      close();
      open = isJsonObject(message) && role === 'assistant' ? getCallIds(message) : [];
      isAfterCall = open.length > 0;
    } else if (isAfterCall) {
      open = withoutOne(open, (message as JsonObject).tool_call_id);
    } else {
      paired.push(createCallFor(message as JsonObject));
      notes.repaired += 1;
      isAfterCall = true;
    }
    paired.push(message);
  }
  return paired.length === messages.length ? messages : paired;
}

function getCallIds({ tool_calls }: JsonObject): readonly unknown[] {
  return Array.isArray(tool_calls)
    ? tool_calls.map((call) => (isJsonObject(call) ? call.id : undefined))
    : [];
}

/** Removes the given id, else the first one: some clients send no ids. */
function withoutOne(open: readonly unknown[], id: unknown): readonly unknown[] {
  const at = Math.max(open.indexOf(id), 0);
  return open.filter((_, index) => index !== at);
}

function createCallFor({ tool_call_id, name }: JsonObject): object {
  const call = { name: typeof name === 'string' ? name : 'unknown', arguments: '{}' };
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: tool_call_id, type: 'function', function: call }],
  };
}
