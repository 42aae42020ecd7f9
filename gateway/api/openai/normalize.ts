import type { JsonObject } from '../../../json/json-object.ts';
import { formatEvent, getEventData, mapEvents } from '../../../sse/sse.ts';
import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, parseJsonObject, withFields, withoutNulls } from '../json.ts';
import type { NormalizationNotes } from '../normalization.ts';
import type { ResponseRewriter } from '../response-format.ts';
import { getToolChoiceMode, resolveFormatAndTools, selectTools, type ToolChoice } from '../tool-choice.ts';
import { normalizeChatMessages, pairChatCalls } from './chat-messages.ts';

/** A chat request in the form that llama-server reads; the same object where it has that form already. */
export function normalizeChat(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  rejectUnsupported(fields);
  const { messages } = fields;
  const read = Array.isArray(messages)
    ? pairChatCalls(normalizeChatMessages(messages, notes), notes)
    : messages;
  const chat = withFields(withoutNulls(fields, ['reasoning_format']), { messages: read });
  return resolveFormatAndTools(normalizeTools(chat, notes), notes);
}

function rejectUnsupported({ modalities, web_search_options }: JsonObject): void {
  if (Array.isArray(modalities) && modalities.includes('audio'))
    throw unsupportedValue(
      'modalities',
      "asks for audio, but llama-server generates only text. Remove 'audio'.",
    );
  if (isJsonObject(web_search_options))
    throw unsupportedValue(
      'web_search_options',
      "asks for OpenAI's web search, which does not exist here. Remove it, or offer a search of your own in 'tools'.",
    );
}

/** llama-server ignores these three fields, and the completion would be one of another prompt. */
export function normalizeCompletion(fields: JsonObject): JsonObject {
  const { suffix, echo, best_of } = fields;
  if (typeof suffix === 'string' && suffix !== '')
    throw unsupportedValue(
      'suffix',
      "is not supported on this route. Use POST /infill, with a key that has the scope 'native'.",
    );
  if (echo === true)
    throw unsupportedValue('echo', 'is not supported: completions do not repeat their prompt. Remove it.');
  if (typeof best_of === 'number' && best_of > Number(fields.n ?? 1))
    throw unsupportedValue('best_of', "is not supported: every completion is returned. Set 'n' instead.");
  return fields;
}

/** Normalizes the tools of a chat, and applies the choice among them. */
function normalizeTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, parallel_tool_calls } = convertLegacyFunctions(fields, notes);
  const choice = readChoice(tool_choice);
  const list = Array.isArray(tools) ? mapList(tools, normalizeTool) : tools;
  const rest = removeLegacyFunctions(fields);
  if (choice === undefined) return withFields(rest, { tools: list, tool_choice });
  const param = Array.isArray(fields.functions) ? 'function_call' : 'tool_choice';
  const selected = selectTools(Array.isArray(list) ? list : [], getName, choice, param);
  return withFields(rest, {
    tools: Array.isArray(list) ? selected : list,
    tool_choice: choice.mode,
    parallel_tool_calls: choice.isSingle ? (parallel_tool_calls ?? false) : parallel_tool_calls,
  });
}

/** `functions` and `function_call` are the old names of tools and their choice. */
function convertLegacyFunctions(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { functions, function_call, tools, tool_choice } = fields;
  if (!Array.isArray(functions)) return fields;
  if (Array.isArray(tools)) throw invalidValue('functions', "either 'functions' or 'tools', not both");
  notes.responseConversion = 'legacy function call';
  return {
    tools: functions.map((it) => ({ type: 'function', function: it })),
    tool_choice: isJsonObject(function_call)
      ? { type: 'function', function: function_call }
      : (function_call ?? tool_choice),
    parallel_tool_calls: false,
  };
}

const removeLegacyFunctions = (fields: JsonObject) =>
  Array.isArray(fields.functions)
    ? withFields(fields, { functions: undefined, function_call: undefined })
    : fields;

/** Undefined where llama-server understands the choice as it is. */
function readChoice(choice: unknown): ToolChoice | undefined {
  const mode = getToolChoiceMode(choice);
  if (mode !== undefined) return { mode };
  if (!isJsonObject(choice)) return undefined;
  if (choice.type === 'allowed_tools') {
    const allowed = isJsonObject(choice.allowed_tools) ? choice.allowed_tools : choice;
    return { mode: allowed.mode === 'required' ? 'required' : 'auto', names: getNames(allowed.tools) };
  }
  const name = getName(choice);
  if (typeof name === 'string') return { mode: 'required', names: [name], isSingle: true };
  throw invalidValue('tool_choice', "'auto', 'none', 'required', or an object that names a tool in 'tools'");
}

function getNames(tools: unknown): string[] {
  const names = Array.isArray(tools) ? tools.map(getName) : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string')) return names;
  throw invalidValue('tool_choice.tools', 'a list of tools, each with its name');
}

/** The name in a tool, or in a choice. */
function getName(tool: unknown): unknown {
  if (!isJsonObject(tool)) return undefined;
  return isJsonObject(tool.function) ? tool.function.name : tool.name;
}

function normalizeTool(tool: unknown, index: number): unknown {
  if (!isJsonObject(tool)) return tool;
  if (tool.type === 'custom')
    throw unsupportedValue(
      `tools[${index}]`,
      'is a custom tool with free text as input, which llama-server does not support. Define a function with one string parameter instead.',
    );
  if (!isJsonObject(tool.function)) return tool;
  return withFields(tool, {
    type: tool.type ?? 'function',
    function: withoutNulls(tool.function, ['description', 'parameters', 'strict']),
  });
}

/** Rewrites the response to a chat that used `functions`: its call moves to where clients of that API look for it. */
export class LegacyFunctionRewriter implements ResponseRewriter {
  rewriteEvents(events: Buffer): Buffer {
    // Most events of a stream carry only text.
    if (!events.includes('"tool_calls"')) return events;
    return mapEvents(events, (event) => {
      const data = event.startsWith('data: {') ? getEventData(event) : undefined;
      return data === undefined ? event : formatEvent(rewriteCompletion(data)).trimEnd();
    });
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(rewriteCompletion(body.toString()));
  }
}

function rewriteCompletion(json: string): string {
  const completion = parseJsonObject(json);
  if (completion === undefined || !Array.isArray(completion.choices)) return json;
  return JSON.stringify({ ...completion, choices: completion.choices.map(rewriteChoice) });
}

function rewriteChoice(choice: unknown): unknown {
  if (!isJsonObject(choice)) return choice;
  const { message, delta, finish_reason } = choice;
  return withFields(choice, {
    message: rewriteMessage(message),
    delta: rewriteMessage(delta),
    finish_reason: finish_reason === 'tool_calls' ? 'function_call' : finish_reason,
  });
}

function rewriteMessage(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message.tool_calls)) return message;
  const [call] = message.tool_calls;
  return withFields(message, {
    tool_calls: undefined,
    function_call: (call as JsonObject | undefined)?.function,
  });
}
