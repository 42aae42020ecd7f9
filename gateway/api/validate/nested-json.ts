import { invalidValue } from '../../errors/catalogue.ts';
import { findExceededLimit } from '../json-limits.ts';
import { asList, asObject, type JsonObject } from './objects.ts';

/** What a text may hold that is JSON again. */
const bounds = { levels: 128, values: 1_000_000 } as const;

/** Below it no text can be nested too deeply. */
const SHORT = bounds.levels;

/**
 * Refuses texts that llama-server parses as JSON, whatever its own parser bears: the arguments of tool calls, in the words of
 * each API.
 */
export function validateNestedJson(fields: JsonObject): void {
  for (const list of ['messages', 'input'] as const) {
    const items = asList(fields[list]);
    for (let at = 0; at < items.length; at++) {
      const item = items[at];
      if (typeof item === 'object' && item !== null) refuseInItem(item as JsonObject, list, at);
    }
  }
}

function refuseInItem(item: JsonObject, list: string, at: number): void {
  const { arguments: args, function_call: call, tool_calls: calls, content } = item;
  if (args !== undefined) refuseNested(args, () => `${list}[${at}].arguments`);
  if (call !== undefined)
    refuseNested(asObject(call).arguments, () => `${list}[${at}].function_call.arguments`);
  if (calls !== undefined) refuseInCalls(calls, () => `${list}[${at}].tool_calls`);
  if (Array.isArray(content)) refuseInParts(content, () => `${list}[${at}].content`);
}

function refuseInCalls(calls: unknown, place: () => string): void {
  asList(calls).forEach((call, index) => {
    const { function: named, arguments: args } = asObject(call);
    refuseNested(asObject(named).arguments, () => `${place()}[${index}].function.arguments`);
    refuseNested(args, () => `${place()}[${index}].arguments`);
  });
}

function refuseInParts(parts: readonly unknown[], place: () => string): void {
  for (let index = 0; index < parts.length; index++) {
    const part = asObject(parts[index]);
    for (const name of ['input', 'arguments'] as const)
      refuseNested(part[name], () => `${place()}[${index}].${name}`);
  }
}

/** What is no text has been bounded with the body. */
function refuseNested(text: unknown, place: () => string): void {
  if (typeof text !== 'string' || text.length <= SHORT) return;
  const broken = findExceededLimit(Buffer.from(text), bounds);
  if (broken === 'levels')
    throw invalidValue(place(), `JSON that is nested ${bounds.levels} levels deep at most`);
  if (broken === 'values') throw invalidValue(place(), `JSON of ${bounds.values} values at most`);
}
