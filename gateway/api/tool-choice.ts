import { invalidValue } from '../errors/catalogue.ts';
import { isJsonObject } from './json-object.ts';

/** Which tools a request lets the model call, and whether it has to. */
export interface ToolChoice {
  readonly mode: 'auto' | 'none' | 'required';
  /** The only ones allowed; undefined allows all. */
  readonly names?: readonly string[] | undefined;
  /** One tool by its name is called once. */
  readonly isSingle?: boolean;
}

/**
 * The tools that are left. llama-server knows `auto`, `none` and `required` alone and takes anything else for `auto`, so
 * a choice by name becomes a choice of tools: the model is told of no others. `param` names the field that chose.
 */
export function selectTools(
  tools: readonly unknown[],
  nameOf: (tool: unknown) => unknown,
  { mode, names }: ToolChoice,
  param: string,
): readonly unknown[] {
  if (mode === 'required' && tools.length === 0) {
    throw invalidValue(
      param,
      "'auto' or 'none', or tools to choose from: the request has none that run here",
    );
  }
  if (names === undefined) return tools;
  const known = new Set(tools.map(nameOf));
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) throw invalidValue(param, 'the name of one of the tools of this request');
  const left = tools.filter((tool) => names.includes(nameOf(tool) as string));
  return left.length === tools.length ? tools : left;
}

/** Of a choice without names, in the words of one API or another; undefined of one with names. */
export const getToolChoiceMode = (choice: unknown): ToolChoice['mode'] | undefined =>
  modes.get(isJsonObject(choice) ? choice.type : choice);

const modes: ReadonlyMap<unknown, ToolChoice['mode']> = new Map([
  ['required', 'required'],
  ['any', 'required'],
  ['auto', 'auto'],
  ['none', 'none'],
]);
