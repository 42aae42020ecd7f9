import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, mapList, withFields } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { assistantBlock, isToolResult, userBlock } from './content-blocks.ts';

/** A message of the Messages API as messages that llama-server reads; the same object where it has that form already. */
export function normalizeMessage(message: unknown, place: string, notes: NormalizationNotes): unknown {
  if (!isJsonObject(message)) return message;
  const { role, content } = message;
  if (content === undefined || typeof content === 'string') return message;
  if (!Array.isArray(content)) throw invalidValue(`${place}.content`, 'a string, or a list of blocks');
  const at = (index: number) => `${place}.content[${index}]`;
  if (role === 'assistant') {
    const blocks = mapList(content, (block, index) => assistantBlock(block, at(index), notes));
    return splitTurns(withFields(message, { content: blocks }), blocks);
  }
  const blocks = mapList(content, (block, index) => userBlock(block, at(index)));
  return moveResultsFirst(withFields(message, { content: blocks }), blocks);
}

/** The results of server tools stand in the assistant's turn; llama-server knows results only in the user's turn. */
function splitTurns(message: JsonObject, blocks: readonly unknown[]): unknown {
  if (!blocks.some(isToolResult)) return message;
  const turns: JsonObject[] = [];
  for (const block of blocks) {
    const role = isToolResult(block) ? 'user' : 'assistant';
    const last = turns.at(-1);
    if (last?.role === role) (last.content as unknown[]).push(block);
    else turns.push({ role, content: [block] });
  }
  return turns;
}

/** llama-server moves the results of a turn behind its texts, and so would put a text between a call and its result. */
function moveResultsFirst(message: JsonObject, blocks: readonly unknown[]): unknown {
  const results = blocks.filter(isToolResult);
  if (results.length === 0 || results.length === blocks.length) return message;
  const others = blocks.filter((block) => !isToolResult(block));
  return [withFields(message, { content: results }), withFields(message, { content: others })];
}

const MISSING_RESULT = '(The result of this call was lost.)';

/**
 * Adds what a client lost of a pair of call and result, as for a chat (openai/chat-messages.ts). Calls of the last message
 * are still to be answered.
 */
export function pairToolResults(messages: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const paired: unknown[] = [];
  messages.forEach((message, index) => {
    const calls = getCallIds(messages[index - 1]);
    const results = getTurnResults(messages, index);
    const own = getResultIds(message);
    if (calls.length > results.length) {
      const missing = calls.filter((id) => !results.includes(id));
      notes.repaired += missing.length;
      paired.push({ role: 'user', content: missing.map(createResultFor) });
    } else if (own.length > 0 && calls.length === 0 && getResultIds(messages[index - 1]).length === 0) {
      notes.repaired += own.length;
      paired.push({ role: 'assistant', content: own.map(createCallFor) });
    }
    paired.push(message);
  });
  return paired.length === messages.length ? messages : paired;
}

const createResultFor = (id: unknown) => ({ type: 'tool_result', tool_use_id: id, content: MISSING_RESULT });
const createCallFor = (id: unknown) => ({ type: 'tool_use', id, name: 'unknown', input: {} });

const getCallIds = (message: unknown) => getIds(message, 'assistant', 'tool_use', 'id');
const getResultIds = (message: unknown) => getIds(message, 'user', 'tool_result', 'tool_use_id');

/** The results of one turn may come in several messages. */
function getTurnResults(messages: readonly unknown[], from: number): unknown[] {
  const found: unknown[] = [];
  for (const message of messages.slice(from)) {
    if (!isJsonObject(message) || message.role !== 'user') break;
    found.push(...getResultIds(message));
  }
  return found;
}

function getIds(message: unknown, role: string, type: string, id: string): unknown[] {
  if (!isJsonObject(message) || message.role !== role || !Array.isArray(message.content)) return [];
  return message.content.flatMap((block) => (isJsonObject(block) && block.type === type ? [block[id]] : []));
}
