import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, mapList, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { getToolChoiceMode, selectTools, type ToolChoice } from '../tool-choice.ts';

/** The tools of a chat as llama-server reads them, and the choice among them. */
export function normalizeChatTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, parallel_tool_calls } = withLegacyFunctions(fields, notes);
  const choice = readChoice(tool_choice);
  const list = Array.isArray(tools) ? mapList(tools, normalizeTool) : tools;
  if (choice === undefined) return withFields(withoutLegacy(fields), { tools: list, tool_choice });
  const left = selectTools(Array.isArray(list) ? list : [], nameOf, choice, choiceField(fields));
  return withFields(withoutLegacy(fields), {
    tools: Array.isArray(list) ? left : list,
    tool_choice: choice.mode,
    parallel_tool_calls: choice.isSingle ? (parallel_tool_calls ?? false) : parallel_tool_calls,
  });
}

/** `functions` and `function_call`, the old names of tools and their choice. */
function withLegacyFunctions(fields: JsonObject, notes: NormalizationNotes): JsonObject {
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

const withoutLegacy = (fields: JsonObject) =>
  Array.isArray(fields.functions)
    ? withFields(fields, { functions: undefined, function_call: undefined })
    : fields;

const choiceField = ({ functions }: JsonObject) =>
  Array.isArray(functions) ? 'function_call' : 'tool_choice';

/** Undefined for what llama-server understands by itself. */
function readChoice(choice: unknown): ToolChoice | undefined {
  const mode = getToolChoiceMode(choice);
  if (mode !== undefined) return { mode };
  if (!isJsonObject(choice)) return undefined;
  if (choice.type === 'allowed_tools') {
    const allowed = isJsonObject(choice.allowed_tools) ? choice.allowed_tools : choice;
    return { mode: allowed.mode === 'required' ? 'required' : 'auto', names: namesOf(allowed.tools) };
  }
  const name = nameOf(choice);
  if (typeof name === 'string') return { mode: 'required', names: [name], isSingle: true };
  throw invalidValue('tool_choice', "'auto', 'none', 'required', or a tool of this request by its name");
}

function namesOf(tools: unknown): string[] {
  const names = Array.isArray(tools) ? tools.map(nameOf) : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string')) return names;
  throw invalidValue('tool_choice.tools', 'a list of tools, each with its name');
}

/** Of a tool and of a choice alike. */
function nameOf(tool: unknown): unknown {
  if (!isJsonObject(tool)) return undefined;
  return isJsonObject(tool.function) ? tool.function.name : tool.name;
}

function normalizeTool(tool: unknown, index: number): unknown {
  if (!isJsonObject(tool)) return tool;
  if (tool.type === 'custom')
    throw unsupportedValue(
      `tools[${index}]`,
      'is a custom tool, whose input is free text. Give it as a function with one string parameter.',
    );
  if (!isJsonObject(tool.function)) return tool;
  return withFields(tool, {
    type: tool.type ?? 'function',
    function: withoutNulls(tool.function, ['description', 'parameters', 'strict']),
  });
}
