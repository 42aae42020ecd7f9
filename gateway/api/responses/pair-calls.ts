import { isJsonObject } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';

const NO_OUTPUT = '(The output of this call was lost.)';

/**
 * As in a chat (pair-calls.ts). Items stand alone and are matched by their ids: a call without its output gets one before
 * the next message, an output without its call gets a call before it. Calls at the very end are still to be answered.
 */
export function pairResponseCalls(items: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const outputs = idsOf(items, 'function_call_output');
  const calls = idsOf(items, 'function_call');
  const last = items.findLastIndex((item) => !isOf(item, 'function_call'));
  const paired = items.flatMap((item, index) => {
    if (!isJsonObject(item)) return [item];
    const { type, call_id, name } = item;
    if (type === 'function_call' && !outputs.has(call_id) && index < last) {
      notes.repaired += 1;
      return [item, { type: 'function_call_output', call_id, output: NO_OUTPUT }];
    }
    if (type === 'function_call_output' && !calls.has(call_id)) {
      notes.repaired += 1;
      calls.add(call_id);
      const known = typeof name === 'string' ? name : 'unknown';
      return [{ type: 'function_call', call_id, name: known, arguments: '{}' }, item];
    }
    return [item];
  });
  return paired.length === items.length ? items : paired;
}

const isOf = (item: unknown, type: string) => isJsonObject(item) && item.type === type;

function idsOf(items: readonly unknown[], type: string): Set<unknown> {
  return new Set(items.flatMap((item) => (isJsonObject(item) && item.type === type ? [item.call_id] : [])));
}
