import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject, mapList, withFields } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { printableType } from '../printable-type.ts';
import { repairInput } from '../repair-json.ts';
import { documentBlocks, searchResultBlocks } from './document-blocks.ts';

/** A message of the Messages API as messages that llama-server reads; the same one where it does already. */
export function normalizeMessage(message: unknown, place: string, notes: NormalizationNotes): unknown {
  if (!isJsonObject(message)) return message;
  const { role, content } = message;
  if (content === undefined || typeof content === 'string') return message;
  if (!Array.isArray(content)) throw invalidValue(`${place}.content`, 'a text, or a list of blocks');
  const at = (index: number) => `${place}.content[${index}]`;
  if (role === 'assistant') {
    const blocks = mapList(content, (block, index) => assistantBlock(block, at(index), notes));
    return withoutResults(withFields(message, { content: blocks }), blocks);
  }
  const blocks = mapList(content, (block, index) => userBlock(block, at(index)));
  return resultsFirst(withFields(message, { content: blocks }), blocks);
}

function userBlock(block: unknown, place: string): unknown {
  const { type, ...rest } = known(block, place);
  if (type !== 'tool_result') return contentBlock(block, place);
  const { content } = rest;
  if (!Array.isArray(content)) return block;
  const told = mapList(content, (part, index) => contentBlock(part, `${place}.content[${index}]`));
  return withFields(block as JsonObject, { content: told });
}

/** What a person or a tool may show the model. */
function contentBlock(block: unknown, place: string): unknown {
  const shown = known(block, place);
  switch (shown.type) {
    case 'text':
      if (typeof shown.text !== 'string') throw invalidValue(`${place}.text`, 'a text');
      return block;
    case 'image':
      refuseKeptImage(shown.source, `${place}.source`);
      return block;
    case 'document':
      return flat(documentBlocks(shown, place), `${place}.source.content`);
    case 'search_result':
      return flat(searchResultBlocks(shown, place), `${place}.content`);
    case 'tool_reference':
      return { type: 'text', text: `The tool ${shown.tool_name} is there to be called.` };
    default:
      throw unsupportedValue(
        place,
        `is of a type that cannot be carried${printableType(shown.type)}. Send its text, or leave it out.`,
      );
  }
}

/** What a document holds are blocks of their own. */
const flat = (blocks: readonly object[], place: string) =>
  blocks.flatMap((block, index) => contentBlock(block, `${place}[${index - 1}]`));

function refuseKeptImage(source: unknown, place: string): void {
  const type = isJsonObject(source) ? source.type : undefined;
  if (type !== 'base64' && type !== 'url')
    throw unsupportedValue(
      place,
      'is no image that is sent along, and none are kept here. Send it as base64.',
    );
}

function assistantBlock(block: unknown, place: string, notes: NormalizationNotes): unknown {
  const said = known(block, place);
  const { type } = said;
  // What is encrypted says nothing to another model.
  if (type === 'redacted_thinking') return undefined;
  if (type === 'thinking') return block;
  if (type === 'tool_use' || type === 'server_tool_use' || type === 'mcp_tool_use') {
    const input = repairInput(said.input);
    if (input !== said.input) notes.repaired += 1;
    return withFields(said, { type: 'tool_use', input });
  }
  // What a conversation was cut down to, in words.
  if (type === 'compaction' && typeof said.content === 'string') return { type: 'text', text: said.content };
  if (isResult(said)) return withFields(said, { type: 'tool_result', content: resultText(said.content) });
  return contentBlock(block, place);
}

/** Of tools that ran at Anthropic, in a conversation that began there. */
const isResult = ({ type }: JsonObject) => typeof type === 'string' && type.endsWith('_tool_result');

function resultText(content: unknown): string {
  const parts = Array.isArray(content) ? content : [content];
  const texts = parts.map((part) =>
    isJsonObject(part) && part.type === 'text' ? part.text : readable(part),
  );
  return texts.join('\n');
}

/** Without what only Anthropic can read. */
const readable = (part: unknown) =>
  JSON.stringify(part, (name, value) => (name.startsWith('encrypted_') ? undefined : value)) ?? '';

/** The results of server tools stand inside the assistant's turn; llama-server knows results in the user's turn only. */
function withoutResults(message: JsonObject, blocks: readonly unknown[]): unknown {
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

/** llama-server puts the results of a turn behind its texts, and so a text between a call and its result. */
function resultsFirst(message: JsonObject, blocks: readonly unknown[]): unknown {
  const results = blocks.filter(isToolResult);
  if (results.length === 0 || results.length === blocks.length) return message;
  const others = blocks.filter((block) => !isToolResult(block));
  return [withFields(message, { content: results }), withFields(message, { content: others })];
}

const isToolResult = (block: unknown) => isJsonObject(block) && block.type === 'tool_result';

function known(block: unknown, place: string): JsonObject {
  if (isJsonObject(block)) return block;
  throw invalidValue(place, 'a block: an object with a type');
}
