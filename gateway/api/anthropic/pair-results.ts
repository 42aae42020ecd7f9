import { isJsonObject } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';

const NO_RESULT = '(The result of this call was lost.)';

/**
 * As in a chat (openai/normalize/pair-calls.ts): a call without its result gets one, a result without a call before it gets
 * a call. Calls of the last message are still to be answered.
 */
export function pairToolResults(messages: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const paired: unknown[] = [];
  messages.forEach((message, index) => {
    const calls = callsOf(messages[index - 1]);
    const results = resultsFrom(messages, index);
    const own = resultsOf(message);
    if (calls.length > results.length) {
      const lost = calls.filter((id) => !results.includes(id));
      notes.repaired += lost.length;
      paired.push({ role: 'user', content: lost.map(resultFor) });
    } else if (own.length > 0 && calls.length === 0 && resultsOf(messages[index - 1]).length === 0) {
      notes.repaired += own.length;
      paired.push({ role: 'assistant', content: own.map(callFor) });
    }
    paired.push(message);
  });
  return paired.length === messages.length ? messages : paired;
}

const resultFor = (id: unknown) => ({ type: 'tool_result', tool_use_id: id, content: NO_RESULT });
const callFor = (id: unknown) => ({ type: 'tool_use', id, name: 'unknown', input: {} });

const callsOf = (message: unknown) => idsOf(message, 'assistant', 'tool_use', 'id');
const resultsOf = (message: unknown) => idsOf(message, 'user', 'tool_result', 'tool_use_id');

/** Those of one turn may come in several messages. */
function resultsFrom(messages: readonly unknown[], from: number): unknown[] {
  const found: unknown[] = [];
  for (const message of messages.slice(from)) {
    if (!isJsonObject(message) || message.role !== 'user') break;
    found.push(...resultsOf(message));
  }
  return found;
}

function idsOf(message: unknown, role: string, type: string, id: string): unknown[] {
  if (!isJsonObject(message) || message.role !== role || !Array.isArray(message.content)) return [];
  return message.content.flatMap((block) => (isJsonObject(block) && block.type === type ? [block[id]] : []));
}
