import { unsupportedValue } from '../../errors/catalogue.ts';
import { stripBillingLine } from '../billing-line.ts';
import { isJsonObject, type JsonObject, mapList, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { repairArguments } from '../repair-json.ts';

/** The messages of a chat as llama-server reads them. */
export function normalizeChatMessages(
  messages: readonly unknown[],
  notes: NormalizationNotes,
): readonly unknown[] {
  const calls = new LegacyCalls();
  return mapList(messages, (message, index) => {
    if (!isJsonObject(message) || (index > 0 && isPlainText(message))) return message;
    const place = `messages[${index}]`;
    const said = index === 0 && message.role === 'system' ? withoutBilling(message) : message;
    if (said === undefined) return undefined;
    const named = withoutNulls(calls.rename(said), ['name', 'reasoning_content', 'tool_call_id']);
    return normalizeCalls(normalizeContent(named, place), notes);
  });
}

/** A role and a text, as most messages are: there is nothing to read otherwise. */
function isPlainText(message: JsonObject): boolean {
  for (const name in message) if (name !== 'role' && name !== 'content') return false;
  return typeof message.content === 'string' && message.role !== 'function';
}

/** A router puts Claude Code's system prompt into a chat as it came. */
function withoutBilling(message: JsonObject): JsonObject | undefined {
  const content = stripBillingLine(message.content);
  return content === undefined && message.content !== undefined
    ? undefined
    : withFields(message, { content });
}

/** Calls and answers of the time before tools: they had no ids, so each answer belongs to the call before it. */
class LegacyCalls {
  #count = 0;

  rename(message: JsonObject): JsonObject {
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
      'is audio of an earlier answer, which is not kept here. Send its text.',
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
    const asked = { name: custom.name, arguments: JSON.stringify({ input: custom.input }) };
    return withFields(call, { type: 'function', custom: undefined, function: asked });
  }
  if (!isJsonObject(call.function)) return call;
  return withFields(withoutNulls(call, ['id']), {
    type: type ?? 'function',
    function: repairCall(call.function, notes),
  });
}

/** An object is right as it is: llama-server takes it for its text. */
function repairCall(asked: JsonObject, notes: NormalizationNotes): JsonObject {
  const { arguments: given } = asked;
  if (isJsonObject(given)) return asked;
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const repaired = withFields(asked, { arguments: repairArguments(text) });
  if (repaired !== asked) notes.repaired += 1;
  return repaired;
}
