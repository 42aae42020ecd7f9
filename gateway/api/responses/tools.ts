import type { JsonObject } from '../../../json/json-object.ts';
import { formatEvent, mapEvents } from '../../../sse/sse.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, parseJsonObject, withFields, withoutNulls } from '../json.ts';
import {
  type NormalizationNotes,
  noteDroppedTool,
  qualifiedToolName,
  type ToolAlias,
  type ToolAliases,
} from '../normalization.ts';
import type { ResponseRewriter } from '../response-format.ts';
import { getToolChoiceMode, selectTools, type ToolChoice } from '../tool-choice.ts';

/**
 * The tools of a Responses request as functions, which are all that llama-server knows. A custom tool becomes a function with a
 * single text, a namespace becomes the functions in it; the response uses the client's names again (ToolAliasRewriter).
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

interface OpenCall {
  readonly alias: ToolAlias;
  readonly input: CustomInputReader;
}

/**
 * Rewrites the response to a Responses request whose tools were sent to llama-server as functions: its calls name the tools
 * that the client sent.
 */
export class ToolAliasRewriter implements ResponseRewriter {
  readonly #inner: ResponseRewriter;
  readonly #aliases: ToolAliases;
  readonly #calls = new Map<unknown, OpenCall>();

  /** `inner` completes the events first. */
  constructor(inner: ResponseRewriter, aliases: ToolAliases) {
    this.#inner = inner;
    this.#aliases = aliases;
  }

  rewriteEvents(events: Buffer): Buffer {
    const completed = this.#inner.rewriteEvents(events);
    if (!completed.includes('function_call')) return completed;
    return mapEvents(completed, (event) => this.#rewriteBlock(event));
  }

  rewriteBody(body: Buffer): Buffer {
    const completed = this.#inner.rewriteBody(body);
    const response = parseJsonObject(completed.toString());
    return response ? Buffer.from(JSON.stringify(this.#rewriteResponse(response))) : completed;
  }

  #rewriteBlock(block: string): string {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseJsonObject(data);
    if (event === undefined) return block;
    const rewritten = this.#rewriteEvent(event);
    return rewritten === event ? block : formatEvent(rewritten, String(rewritten.type)).trimEnd();
  }

  #rewriteEvent(event: JsonObject): JsonObject {
    const { type, item, response, item_id } = event;
    if (isJsonObject(response)) return { ...event, response: this.#rewriteResponse(response) };
    if (isJsonObject(item)) {
      const alias = this.#findAlias(item);
      if (alias && type === 'response.output_item.added')
        this.#calls.set(item.id, { alias, input: new CustomInputReader() });
      return alias ? { ...event, item: rewriteCall(item, alias) } : event;
    }
    const call = this.#calls.get(item_id);
    return call ? rewriteArguments(event, call) : event;
  }

  #rewriteResponse(response: JsonObject): JsonObject {
    if (!Array.isArray(response.output)) return response;
    const output = response.output.map((item: unknown) => {
      const alias = isJsonObject(item) ? this.#findAlias(item) : undefined;
      return alias ? rewriteCall(item as JsonObject, alias) : item;
    });
    return { ...response, output };
  }

  #findAlias({ type, name }: JsonObject): ToolAlias | undefined {
    return type === 'function_call' && typeof name === 'string' ? this.#aliases.get(name) : undefined;
  }
}

function rewriteCall(item: JsonObject, { type, name, namespace }: ToolAlias): JsonObject {
  const named = namespace === undefined ? { name } : { name, namespace };
  if (type === 'function') return { ...item, ...named };
  const { arguments: args, ...rest } = item;
  return {
    ...rest,
    ...named,
    id: toCustomId(item.id),
    type: 'custom_tool_call',
    input: typeof args === 'string' ? readCustomInput(args) : '',
  };
}

/** OpenAI's prefix for calls of custom tools. */
const toCustomId = (id: unknown) => String(id).replace(/^fc_/, 'ctc_');

/** The number of an event stays behind all other fields (stream-state.ts). */
function rewriteArguments(event: JsonObject, { alias, input }: OpenCall): JsonObject {
  const { type, name, arguments: args, delta, sequence_number, item_id, ...place } = event;
  if (alias.type === 'function') return name === undefined ? event : { ...event, name: alias.name };
  const rest = { item_id: toCustomId(item_id), ...place };
  if (type === 'response.function_call_arguments.delta') {
    const text = typeof delta === 'string' ? input.add(delta) : '';
    return { type: 'response.custom_tool_call_input.delta', ...rest, delta: text, sequence_number };
  }
  if (type !== 'response.function_call_arguments.done') return event;
  const text = typeof args === 'string' ? readCustomInput(args) : '';
  return { type: 'response.custom_tool_call_input.done', ...rest, input: text, sequence_number };
}

/** The beginning of the arguments of a function that stands for a custom tool, before the text of its input. */
const opening = /^\s*\{\s*"input"\s*:\s*"/;
/** Complete characters and escapes. */
const complete = /^(?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*/;

/** Reads the input of a custom tool from the arguments of a function, while they arrive. */
export class CustomInputReader {
  #rest = '';
  #hasBegun = false;

  /** The text that these further characters of the arguments add to the input. */
  add(json: string): string {
    this.#rest += json;
    if (!this.#hasBegun) {
      const begun = opening.exec(this.#rest)?.[0];
      if (begun === undefined) return '';
      this.#hasBegun = true;
      this.#rest = this.#rest.slice(begun.length);
    }
    const read = complete.exec(this.#rest)?.[0] ?? '';
    this.#rest = this.#rest.slice(read.length);
    return JSON.parse(`"${read}"`);
  }
}

/** Reads the input from all of the arguments; returns these unchanged where they have another form. */
export function readCustomInput(json: string): string {
  try {
    const { input } = JSON.parse(json) as { input?: unknown };
    return typeof input === 'string' ? input : json;
  } catch {
    return new CustomInputReader().add(json);
  }
}
