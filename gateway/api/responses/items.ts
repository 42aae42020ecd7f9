import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { printableType } from '../printable-type.ts';
import { repairArguments } from '../repair-json.ts';
import { qualifiedToolName } from '../tool-aliases.ts';
import { normalizeInputParts, normalizeOutputParts, normalizeToolOutput } from './content-parts.ts';

/**
 * An item of a Responses request's input as llama-server reads it: the same item where it does already, undefined where
 * it says nothing to the model. OpenAI lets clients leave out and leave empty more than llama-server's converter does.
 */
export function normalizeItem(item: unknown, place: string, notes: NormalizationNotes): unknown {
  if (!isJsonObject(item)) throw invalidValue(place, 'an item: an object with a role or a type');
  const type = item.type ?? typeOf(item);
  switch (type) {
    case 'message':
      return normalizeMessage(item, place);
    case 'reasoning':
      return normalizeReasoning(item);
    case 'function_call':
      return normalizeCall(item, place, notes);
    case 'function_call_output':
      return normalizeOutput(item, item.output, place);
    case 'item_reference':
      throw unsupportedValue(
        place,
        'refers to an item of an earlier response, and this server stores none. Send the items themselves: SDKs do with store: false.',
      );
    default:
      return normalizeForeignItem(item, type, place, notes);
  }
}

/** Both may come without one: a message by its role, a reference as a bare id. */
function typeOf({ role, id }: JsonObject): string | undefined {
  if (role !== undefined) return 'message';
  return typeof id === 'string' ? 'item_reference' : undefined;
}

/** What a coding agent's own tools have done, in the words of calls and their outputs. */
function normalizeForeignItem(
  item: JsonObject,
  type: unknown,
  place: string,
  notes: NormalizationNotes,
): JsonObject {
  const call_id = item.call_id ?? item.id;
  if (type === 'custom_tool_call') {
    const asked = JSON.stringify({ input: item.input });
    return normalizeCall(
      { call_id, name: item.name, namespace: item.namespace, arguments: asked },
      place,
      notes,
    );
  }
  if (type === 'custom_tool_call_output') return normalizeOutput({ call_id }, item.output, place);
  const [, tool, isOutput] = ownTools.exec(String(type)) ?? [];
  if (tool !== undefined && isOutput !== undefined) {
    const { output } = item;
    const told = typeof output === 'string' ? output : JSON.stringify(output ?? '');
    return normalizeOutput({ call_id }, told, place);
  }
  if (tool !== undefined) {
    const asked = JSON.stringify(item.action ?? item.operation ?? {});
    return normalizeCall({ call_id, name: tool, arguments: asked }, place, notes);
  }
  throw unsupportedValue(place, whyNot(type));
}

const ownTools = /^(local_shell|shell|apply_patch)_call(_output)?$/;

function whyNot(type: unknown): string {
  if (typeof type !== 'string')
    return "has neither a type nor a role: send a 'message' or one of the other items.";
  const isOfATool = /_call|^mcp_|^tool_search|^compaction|^program/.test(type);
  const what = isOfATool
    ? 'is of a tool that runs at OpenAI'
    : 'is of a type that llama-server does not know';
  return `${what}${printableType(type)} and cannot be carried. Leave it out, or send what it says as a message.`;
}

function normalizeMessage(item: JsonObject, place: string): unknown {
  const { role, content } = item;
  const named = withoutNulls(item, ['name', 'reasoning_content', 'tool_call_id', 'tool_calls', 'type']);
  if (role === 'assistant') {
    return withFields(named, {
      type: 'message',
      content: normalizeOutputParts(content ?? [], `${place}.content`),
    });
  }
  if (role !== 'user' && role !== 'system' && role !== 'developer')
    throw invalidValue(`${place}.role`, "'user', 'assistant', 'system' or 'developer'");
  return withFields(named, { content: normalizeInputParts(content, `${place}.content`) });
}

/** OpenAI gives thoughts without their text: encrypted, or as a summary. What has no text says nothing to this model. */
function normalizeReasoning(item: JsonObject): unknown {
  const { content, summary } = item;
  const isRead = Array.isArray(content) && content.length === 1 && Array.isArray(summary);
  if (isRead && isJsonObject(content[0]) && typeof content[0].text === 'string') return item;
  const text = textOf(content) || textOf(summary);
  if (text === '') return undefined;
  return withFields(item, { summary: [], content: [{ type: 'reasoning_text', text }] });
}

function textOf(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) return '';
  const texts = parts.map((part) => (isJsonObject(part) ? part.text : part));
  return texts.filter((text) => typeof text === 'string' && text !== '').join('\n\n');
}

function normalizeCall(item: JsonObject, place: string, notes: NormalizationNotes): JsonObject {
  const { name, arguments: given } = item;
  if (typeof name !== 'string') throw invalidValue(`${place}.name`, 'the name of the function');
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const asked = repairArguments(text);
  if (asked !== given) notes.repaired += 1;
  return withFields(item, {
    type: 'function_call',
    name: qualifiedToolName(name, item.namespace),
    call_id: callIdOf(item, place),
    arguments: asked,
    namespace: undefined,
  });
}

function normalizeOutput(item: JsonObject, output: unknown, place: string): JsonObject {
  return withFields(item, {
    type: 'function_call_output',
    call_id: callIdOf(item, place),
    output: normalizeToolOutput(output, `${place}.output`),
  });
}

function callIdOf({ call_id, id }: JsonObject, place: string): string {
  const known = call_id ?? id;
  if (typeof known !== 'string') throw invalidValue(`${place}.call_id`, 'the call_id of the call');
  return known;
}
