import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, withFields } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { selectTools, type ToolChoice } from '../tool-choice.ts';

/**
 * The tools that a request to /v1/messages offers, as llama-server reads them: it knows no choice by name, takes `none` for
 * `auto`, and offers a tool that runs at Anthropic as if the client could run it.
 */
export function normalizeMessageTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, mcp_servers } = fields;
  if (Array.isArray(mcp_servers) && mcp_servers.length > 0) notes.droppedTools.add('mcp_servers');
  const offered = Array.isArray(tools) ? ownTools(tools, notes) : [];
  const choice = readChoice(tool_choice);
  if (choice?.mode === 'none') return withFields(fields, { tools: undefined, tool_choice: undefined });
  const left = choice ? selectTools(offered, nameOf, choice, 'tool_choice') : offered;
  return withFields(fields, {
    tools: Array.isArray(tools) ? (left.length > 0 || left === tools ? left : undefined) : tools,
    tool_choice: choice?.names
      ? withFields(tool_choice as JsonObject, { type: 'any', name: undefined })
      : tool_choice,
  });
}

function readChoice(choice: unknown): ToolChoice | undefined {
  if (!isJsonObject(choice)) {
    if (choice === undefined || choice === null) return undefined;
    throw invalidValue('tool_choice', 'an object with a type: auto, any, tool or none');
  }
  const { type, name } = choice;
  if (type === 'none') return { mode: 'none' };
  if (type === 'auto') return undefined;
  if (type === 'any') return { mode: 'required' };
  if (type === 'tool' && typeof name === 'string') return { mode: 'required', names: [name] };
  throw invalidValue('tool_choice', 'an object with a type: auto, any, tool (with its name) or none');
}

const nameOf = (tool: unknown) => (isJsonObject(tool) ? tool.name : undefined);

function ownTools(tools: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const own = tools.filter((tool) => {
    if (!isJsonObject(tool) || runsHere(tool)) return true;
    notes.droppedTools.add(
      String(tool.type)
        .slice(0, LONGEST_TYPE)
        .replace(/[^\w.-]/g, '?'),
    );
    return false;
  });
  return own.length === tools.length ? tools : own;
}

/** It goes into a header. */
const LONGEST_TYPE = 64;

/** A tool of the client's own has a schema; those that Anthropic has named and the client runs have none. */
function runsHere({ type, input_schema }: JsonObject): boolean {
  return (
    type === undefined ||
    type === null ||
    type === 'custom' ||
    input_schema !== undefined ||
    namedTools.test(String(type))
  );
}

const namedTools = /^(?:bash|text_editor|computer|memory)_\d+$/;
