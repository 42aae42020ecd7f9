import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, mapList, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { qualifiedToolName } from '../tool-aliases.ts';
import { getToolChoiceMode, selectTools, type ToolChoice } from '../tool-choice.ts';

/**
 * The tools of a Responses request, as functions: all that llama-server knows. A custom tool is one with a single text, a
 * namespace is the functions in it; the answer names them as the client does (tool-form-answer.ts). The rest runs at
 * OpenAI, or is of the client's own kind: llama-server passes over it, and the client is told.
 */
export function normalizeResponseTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, parallel_tool_calls } = fields;
  const own = Array.isArray(tools) ? mapList(tools, (tool) => asFunctions(tool, undefined, notes)) : [];
  const choice = readChoice(tool_choice);
  const left = choice ? selectTools(own, nameOf, choice, 'tool_choice') : own;
  return withFields(fields, {
    tools: Array.isArray(tools) ? left : tools,
    tool_choice: choice?.mode ?? tool_choice,
    parallel_tool_calls: choice?.isSingle ? (parallel_tool_calls ?? false) : parallel_tool_calls,
  });
}

const nameOf = (tool: unknown) => (isJsonObject(tool) ? tool.name : undefined);

/** The same tool where it is a function already, undefined where it is none. */
function asFunctions(tool: unknown, namespace: string | undefined, notes: NormalizationNotes): unknown {
  if (!isJsonObject(tool)) return tool;
  const { type, name } = tool;
  if (type === 'namespace' && typeof name === 'string' && Array.isArray(tool.tools))
    return tool.tools.map((inner) => asFunctions(inner, name, notes)).filter((it) => it !== undefined);
  if (type === 'custom' && typeof name === 'string') return customAsFunction(tool, name, namespace, notes);
  if (type !== 'function' && type !== undefined && type !== null) {
    notes.droppedTools.add(
      String(type)
        .slice(0, LONGEST_TYPE)
        .replace(/[^\w.-]/g, '?'),
    );
    return undefined;
  }
  const read = withFields(withoutNulls(tool, ['description', 'parameters', 'strict']), { type: 'function' });
  if (namespace === undefined || typeof name !== 'string') return read;
  notes.toolAliases.set(qualifiedToolName(name, namespace), { type: 'function', name, namespace });
  return withFields(read, { name: qualifiedToolName(name, namespace) });
}

/** It goes into a header. */
const LONGEST_TYPE = 64;

function customAsFunction(
  tool: JsonObject,
  name: string,
  namespace: string | undefined,
  notes: NormalizationNotes,
): object {
  const { description, format } = tool;
  notes.toolAliases.set(qualifiedToolName(name, namespace), { type: 'custom', name, namespace });
  const isGrammar = isJsonObject(format) && typeof format.definition === 'string';
  const about = isGrammar
    ? `In this form (${format.syntax ?? 'grammar'}):\n${format.definition}`
    : 'As free text.';
  return {
    type: 'function',
    name: qualifiedToolName(name, namespace),
    ...(typeof description === 'string' ? { description } : {}),
    parameters: {
      type: 'object',
      properties: { input: { type: 'string', description: about } },
      required: ['input'],
      additionalProperties: false,
    },
  };
}

/** Undefined for what llama-server understands by itself. */
function readChoice(choice: unknown): ToolChoice | undefined {
  const plain = getToolChoiceMode(choice);
  if (plain !== undefined) return { mode: plain };
  if (!isJsonObject(choice)) return undefined;
  const { type, mode, tools } = choice;
  if (type === 'allowed_tools') {
    const names = Array.isArray(tools) ? tools.map(chosenName).filter((name) => name !== undefined) : [];
    if (names.length === 0)
      throw invalidValue('tool_choice.tools', 'a list of functions, each with its name');
    return { mode: mode === 'required' ? 'required' : 'auto', names };
  }
  const name = type === 'function' || type === 'custom' ? chosenName(choice) : undefined;
  if (name !== undefined) return { mode: 'required', names: [name], isSingle: true };
  throw invalidValue('tool_choice', "'auto', 'none', 'required', or a function of this request by its name");
}

function chosenName(choice: unknown): string | undefined {
  if (!isJsonObject(choice)) return undefined;
  const name = isJsonObject(choice.function) ? choice.function.name : choice.name;
  return typeof name === 'string' ? qualifiedToolName(name, choice.namespace) : undefined;
}
