import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields, withoutNulls } from '../json.ts';
import { type NormalizationNotes, printableType, qualifiedToolName } from '../normalization.ts';
import { repairArguments } from '../repair-json.ts';
import { normalizeHostedItem } from './hosted-items.ts';

/**
 * An item of a Responses request's input in the form that llama-server reads: the same object where it has that form already,
 * undefined where it has nothing for the model, a list where it is several. OpenAI lets clients omit more, and leave more empty,
 * than llama-server does.
 */
export function normalizeItem(item: unknown, place: string, notes: NormalizationNotes): unknown {
  if (!isJsonObject(item)) throw invalidValue(place, "an item: an object with a 'role' or a 'type'", item);
  const type = item.type ?? inferType(item);
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
      if (typeof item.id !== 'string')
        throw invalidValue(`${place}.id`, 'the id of an item, a string', item.id);
      throw unsupportedValue(
        place,
        'refers to an item of an earlier response by its id, which requires stored responses (STORE=on). Without them send the items themselves; SDKs do so with store: false.',
      );
    default:
      return normalizeHostedItem(item, place, notes) ?? normalizeForeignItem(item, type, place, notes);
  }
}

/** Two kinds of items may have no type: a message with its role, a reference with a bare id. */
function inferType({ role, id }: JsonObject): string | undefined {
  if (role !== undefined) return 'message';
  return typeof id === 'string' ? 'item_reference' : undefined;
}

/** Calls of a coding agent's own tools, and their outputs, as calls of functions. */
function normalizeForeignItem(
  item: JsonObject,
  type: unknown,
  place: string,
  notes: NormalizationNotes,
): JsonObject {
  const call_id = item.call_id ?? item.id;
  if (type === 'custom_tool_call') {
    const args = JSON.stringify({ input: item.input });
    const call = { call_id, name: item.name, namespace: item.namespace, arguments: args };
    return normalizeCall(call, place, notes);
  }
  if (type === 'custom_tool_call_output') return normalizeOutput({ call_id }, item.output, place);
  const [, tool, isOutput] = (typeof type === 'string' && agentTools.exec(type)) || [];
  if (tool !== undefined && isOutput !== undefined) {
    return normalizeOutput({ call_id }, readToolOutput(item.output), place);
  }
  if (tool !== undefined) {
    const args = JSON.stringify(item.action ?? item.actions ?? item.operation ?? {});
    return normalizeCall({ call_id, name: tool, arguments: args }, place, notes);
  }
  throw unsupportedValue(place, describeUnsupported(type));
}

const agentTools = /^(local_shell|shell|apply_patch|computer)_call(_output)?$/;

/** A text, a screenshot, or the JSON of anything else. */
function readToolOutput(output: unknown): unknown {
  if (typeof output === 'string') return output;
  if (isJsonObject(output) && typeof output.image_url === 'string')
    return [{ type: 'input_image', image_url: output.image_url }];
  return JSON.stringify(output ?? '');
}

function describeUnsupported(type: unknown): string {
  if (typeof type !== 'string')
    return "has neither 'type' nor 'role'. Send a message (type: 'message', with a role), or another item with its type.";
  if (type === 'compaction' || type === 'compaction_trigger')
    return `belongs to OpenAI's compaction${printableType(type)}, which only OpenAI can read. Send the items that it stands for.`;
  return `has a type that llama-server does not know${printableType(type)}. Remove it, or send its content as a message.`;
}

function normalizeMessage(item: JsonObject, place: string): unknown {
  const { role, content } = item;
  const message = withoutNulls(item, ['name', 'reasoning_content', 'tool_call_id', 'tool_calls', 'type']);
  if (role === 'assistant') {
    const parts = normalizeOutputParts(content ?? [], `${place}.content`);
    return withFields(message, { type: 'message', content: parts });
  }
  if (role !== 'user' && role !== 'system' && role !== 'developer')
    throw invalidValue(`${place}.role`, "'user', 'assistant', 'system' or 'developer'");
  return withFields(message, { content: normalizeInputParts(content, `${place}.content`) });
}

/** OpenAI sends reasoning without its text: encrypted, or as a summary. Without text it has nothing for this model. */
function normalizeReasoning(item: JsonObject): unknown {
  const { content, summary } = item;
  const isReadable = Array.isArray(content) && content.length === 1 && Array.isArray(summary);
  if (isReadable && isJsonObject(content[0]) && typeof content[0].text === 'string') return item;
  const text = joinTexts(content) || joinTexts(summary);
  if (text === '') return undefined;
  return withFields(item, { summary: [], content: [{ type: 'reasoning_text', text }] });
}

function joinTexts(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) return '';
  const texts = parts.map((part) => (isJsonObject(part) ? part.text : part));
  return texts.filter((text) => typeof text === 'string' && text !== '').join('\n\n');
}

function normalizeCall(item: JsonObject, place: string, notes: NormalizationNotes): JsonObject {
  const { name, arguments: given } = item;
  if (typeof name !== 'string')
    throw invalidValue(`${place}.name`, 'the name of the function, a string', name);
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const repaired = repairArguments(text);
  if (repaired !== given) notes.repaired += 1;
  return withFields(item, {
    type: 'function_call',
    name: qualifiedToolName(name, item.namespace),
    call_id: getCallId(item, place),
    arguments: repaired,
    namespace: undefined,
  });
}

function normalizeOutput(item: JsonObject, output: unknown, place: string): JsonObject {
  return withFields(item, {
    type: 'function_call_output',
    call_id: getCallId(item, place),
    output: normalizeToolOutput(output, `${place}.output`),
  });
}

function getCallId({ call_id, id }: JsonObject, place: string): string {
  const known = call_id ?? id;
  if (typeof known !== 'string')
    throw invalidValue(`${place}.call_id`, 'the id of the call, a string', known);
  return known;
}

const MISSING_OUTPUT = '(The output of this call was lost.)';

/**
 * Adds what a client lost of a pair of call and output, as for a chat (openai/chat-messages.ts). Items are matched by their
 * ids: a missing output is added right behind its call, a missing call right before its output. Calls at the very end are
 * still without an output.
 */
export function pairResponseCalls(items: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const outputs = getCallIds(items, 'function_call_output');
  const calls = getCallIds(items, 'function_call');
  const last = items.findLastIndex((item) => !isOfType(item, 'function_call'));
  const paired = items.flatMap((item, index) => {
    if (!isJsonObject(item)) return [item];
    const { type, call_id, name } = item;
    if (type === 'function_call' && !outputs.has(call_id) && index < last) {
      notes.repaired += 1;
      return [item, { type: 'function_call_output', call_id, output: MISSING_OUTPUT }];
    }
    if (type === 'function_call_output' && !calls.has(call_id)) {
      notes.repaired += 1;
      calls.add(call_id);
      const known = typeof name === 'string' ? name : 'unknown';
      return [{ type: 'function_call', call_id, name: known, arguments: '{}' }, item];
    }
    return [item];
  });
  return paired.length === items.length ? items : paired;
}

const isOfType = (item: unknown, type: string) => isJsonObject(item) && item.type === type;

function getCallIds(items: readonly unknown[], type: string): Set<unknown> {
  return new Set(items.flatMap((item) => (isJsonObject(item) && item.type === type ? [item.call_id] : [])));
}

/** The content of a message to the model. */
const normalizeInputParts = (content: unknown, place: string) => normalizeParts(content, place, inputPart);

/** The content of a message by the model: its texts and refusals. */
const normalizeOutputParts = (content: unknown, place: string) => normalizeParts(content, place, outputPart);

/** The output of a function: a text, or a list of parts. */
function normalizeToolOutput(output: unknown, place: string): unknown {
  return output === undefined || output === null ? '' : normalizeParts(output, place, inputPart);
}

function normalizeParts(
  content: unknown,
  place: string,
  normalizePart: (part: unknown, place: string) => unknown,
): unknown {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalidValue(place, 'a string, or a list of parts', content);
  return mapList(content, (part, index) => normalizePart(part, `${place}[${index}]`));
}

const textTypes: ReadonlySet<unknown> = new Set([undefined, null, 'text', 'input_text', 'output_text']);

function inputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'input_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, "a part: an object with a 'type'", part);
  const { type, text, image_url, file_id } = part;
  if (textTypes.has(type) && typeof text === 'string') return withFields(part, { type: 'input_text' });
  if (type === 'refusal' && typeof part.refusal === 'string')
    return { type: 'input_text', text: part.refusal };
  if (type === 'input_image') {
    if (typeof image_url === 'string') return part;
    const why =
      typeof file_id === 'string'
        ? 'names an uploaded file, which llama-server cannot read'
        : "has no 'image_url'";
    throw unsupportedValue(place, `${why}. Send the image in 'image_url', as a data: URL.`);
  }
  if (type === 'input_file')
    throw unsupportedValue(
      place,
      'is a file, which llama-server cannot read. Send its text, or its pages as images.',
    );
  throw invalidValue(place, "a part of type 'input_text' (with 'text') or 'input_image' (with 'image_url')");
}

function outputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'output_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, "a part: an object with a 'type'", part);
  const { type, text, refusal } = part;
  if (type === 'refusal' && typeof refusal === 'string') return { type: 'output_text', text: refusal };
  if (!textTypes.has(type) || typeof text !== 'string')
    throw invalidValue(place, "a part of type 'output_text' (with 'text') or 'refusal' (with 'refusal')");
  // llama-server reads input_text here as well.
  return type === 'input_text' ? part : withFields(part, { type: 'output_text' });
}
