import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, mapList, withFields, withoutNulls } from '../json.ts';
import { type NormalizationNotes, noteDroppedTool, qualifiedToolName } from '../normalization.ts';
import { getToolChoiceMode, selectTools, type ToolChoice } from '../tool-choice.ts';

/**
 * The tools of a Responses request as functions, which are all that llama-server knows. A custom tool becomes a function with a
 * single text, a namespace becomes the functions in it; the response uses the client's names again (tool-alias-rewriter.ts).
 * All other tools run at OpenAI, or are of a kind of the client's own: they are dropped, and a response header lists them.
 */
export function normalizeResponseTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, parallel_tool_calls } = fields;
  const functions = Array.isArray(tools) ? mapList(tools, (tool) => toFunctions(tool, undefined, notes)) : [];
  const choice = readChoice(tool_choice);
  const selected = choice ? selectTools(functions, getName, choice, 'tool_choice') : functions;
  return withFields(fields, {
    tools: Array.isArray(tools) ? selected : tools,
    tool_choice: choice?.mode ?? tool_choice,
    parallel_tool_calls: choice?.isSingle ? (parallel_tool_calls ?? false) : parallel_tool_calls,
  });
}

const getName = (tool: unknown) => (isJsonObject(tool) ? tool.name : undefined);

/** The same tool where it is a function already, undefined where it cannot be one. */
function toFunctions(tool: unknown, namespace: string | undefined, notes: NormalizationNotes): unknown {
  if (!isJsonObject(tool)) return tool;
  const { type, name } = tool;
  if (type === 'namespace' && typeof name === 'string' && Array.isArray(tool.tools))
    return tool.tools.map((inner) => toFunctions(inner, name, notes)).filter((it) => it !== undefined);
  if (type === 'custom' && typeof name === 'string') return customToFunction(tool, name, namespace, notes);
  if (type !== 'function' && type !== undefined && type !== null) {
    noteDroppedTool(notes, type);
    return undefined;
  }
  const read = withFields(withoutNulls(tool, ['description', 'parameters', 'strict']), { type: 'function' });
  if (namespace === undefined || typeof name !== 'string') return read;
  notes.toolAliases.set(qualifiedToolName(name, namespace), { type: 'function', name, namespace });
  return withFields(read, { name: qualifiedToolName(name, namespace) });
}

function customToFunction(
  tool: JsonObject,
  name: string,
  namespace: string | undefined,
  notes: NormalizationNotes,
): object {
  const { description, format } = tool;
  notes.toolAliases.set(qualifiedToolName(name, namespace), { type: 'custom', name, namespace });
  const hasGrammar = isJsonObject(format) && typeof format.definition === 'string';
  const about = hasGrammar
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

/** Undefined where llama-server understands the choice as it is. */
function readChoice(choice: unknown): ToolChoice | undefined {
  const choiceMode = getToolChoiceMode(choice);
  if (choiceMode !== undefined) return { mode: choiceMode };
  if (!isJsonObject(choice)) return undefined;
  const { type, mode, tools } = choice;
  if (type === 'allowed_tools') {
    const names = Array.isArray(tools) ? tools.map(getChosenName).filter((name) => name !== undefined) : [];
    if (names.length === 0)
      throw invalidValue('tool_choice.tools', 'a list of functions, each with its name');
    return { mode: mode === 'required' ? 'required' : 'auto', names };
  }
  const name = type === 'function' || type === 'custom' ? getChosenName(choice) : undefined;
  if (name !== undefined) return { mode: 'required', names: [name], isSingle: true };
  throw invalidValue(
    'tool_choice',
    "'auto', 'none', 'required', or an object that names a function in 'tools'",
  );
}

function getChosenName(choice: unknown): string | undefined {
  if (!isJsonObject(choice)) return undefined;
  const name = isJsonObject(choice.function) ? choice.function.name : choice.name;
  return typeof name === 'string' ? qualifiedToolName(name, choice.namespace) : undefined;
}
