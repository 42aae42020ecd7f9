import type { JsonObject } from '../../json/json-object.ts';
import { invalidValue } from '../errors/catalogue.ts';
import { isJsonObject, withFields } from './json.ts';
import type { NormalizationNotes } from './normalization.ts';

/** Which tools a request lets the model call, and whether it must call one. */
export interface ToolChoice {
  readonly mode: 'auto' | 'none' | 'required';
  /** The only tools allowed; undefined allows all. */
  readonly names?: readonly string[] | undefined;
  /** A single tool, chosen by its name, is called once. */
  readonly isSingle?: boolean;
}

/**
 * The tools that a choice leaves. llama-server knows only `auto`, `none` and `required`, and treats anything else as `auto`.
 * So a choice by name is made by offering the model no other tools. `param` names the field of the choice.
 */
export function selectTools(
  tools: readonly unknown[],
  getName: (tool: unknown) => unknown,
  { mode, names }: ToolChoice,
  param: string,
): readonly unknown[] {
  if (mode === 'required' && tools.length === 0) {
    throw invalidValue(
      param,
      "'auto' or 'none', because the request has no tool that runs here; or add such a tool to 'tools'",
    );
  }
  if (names === undefined) return tools;
  const known = new Set(tools.map(getName));
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) throw invalidValue(param, "the name of a tool in 'tools'");
  const selected = tools.filter((tool) => names.includes(getName(tool) as string));
  return selected.length === tools.length ? tools : selected;
}

/** The mode of a choice without names, in the format of any API; undefined for a choice by name. */
export const getToolChoiceMode = (choice: unknown): ToolChoice['mode'] | undefined =>
  modes.get(isJsonObject(choice) ? choice.type : choice);

const modes: ReadonlyMap<unknown, ToolChoice['mode']> = new Map([
  ['required', 'required'],
  ['any', 'required'],
  ['auto', 'auto'],
  ['none', 'none'],
]);

/**
 * llama-server either constrains a response to a schema or lets the model call tools, never both: with a schema no tool is ever
 * called. Where a tool call is required, the schema (which is for a text) is removed; else the schema wins, and a response header
 * says so.
 */
export function resolveFormatAndTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { response_format, tools, tool_choice } = fields;
  const hasSchema = isJsonObject(response_format) && response_format.type === 'json_schema';
  if (!hasSchema || !Array.isArray(tools) || tools.length === 0 || tool_choice === 'none') return fields;
  if (tool_choice === 'required') return withFields(fields, { response_format: undefined });
  notes.droppedTools.add('function');
  return fields;
}
