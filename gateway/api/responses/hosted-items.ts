import type { JsonObject } from '../../../json/json-object.ts';
import { asList, asObject, isJsonObject } from '../json.ts';
import { type NormalizationNotes, noteDroppedTool } from '../normalization.ts';
import { repairArguments } from '../repair-json.ts';

/**
 * An item of a tool that ran at OpenAI, as clients send it back with the history. Where it says what came of the call, it
 * becomes a call of a function and its output; what says nothing to a model is left out, and a response header lists it.
 * Undefined for all other items.
 */
export function normalizeHostedItem(
  item: JsonObject,
  place: string,
  notes: NormalizationNotes,
): readonly JsonObject[] | undefined {
  const { type } = item;
  if (typeof type !== 'string') return undefined;
  const pair = Object.hasOwn(toCall, type) ? toCall[type]?.(item) : undefined;
  if (pair === undefined) {
    if (!leftOut.has(type)) return undefined;
    noteDroppedTool(notes, type);
    return [];
  }
  // Without an id of its own: it is found by its place.
  const call_id = typeof item.id === 'string' ? item.id : `call_${place.replace(/\W+/g, '_')}`;
  const { name, args, output } = pair;
  return [
    { type: 'function_call', call_id, name, arguments: repairArguments(args) },
    { type: 'function_call_output', call_id, output },
  ];
}

/** Items of calls without their results, of approvals, and of what a tool was told. */
const leftOut: ReadonlySet<string> = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'tool_search_call',
  'tool_search_output',
  'program',
  'program_output',
]);

interface CallWithOutput {
  readonly name: string;
  readonly args: string;
  readonly output: string;
}

/** Undefined where the item does not say what came of the call. */
const toCall: Readonly<Record<string, (item: JsonObject) => CallWithOutput | undefined>> = {
  file_search_call({ queries, results }) {
    if (!Array.isArray(results)) return undefined;
    const found = results.map(asObject).map(({ filename, text }) => ({ filename, text }));
    return { name: 'file_search', args: JSON.stringify({ queries }), output: JSON.stringify(found) };
  },
  code_interpreter_call({ code, outputs }) {
    if (typeof code !== 'string') return undefined;
    const logs = asList(outputs).flatMap((output) =>
      isJsonObject(output) && typeof output.logs === 'string' ? [output.logs] : [],
    );
    return { name: 'code_interpreter', args: JSON.stringify({ code }), output: logs.join('\n') };
  },
  mcp_call({ name, arguments: args, output, error }) {
    if (typeof name !== 'string') return undefined;
    const text = typeof output === 'string' ? output : isJsonObject(error) ? JSON.stringify(error) : '';
    return { name, args: typeof args === 'string' ? args : '{}', output: text };
  },
};
