import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields } from '../json.ts';
import { type NormalizationNotes, noteDroppedTool, stripBillingLine } from '../normalization.ts';
import { selectTools, type ToolChoice } from '../tool-choice.ts';
import { hasChatFields, toChatRequest } from './chat-request.ts';
import { assistantBlock, isToolResult, userBlock } from './content-blocks.ts';

/** A request to /v1/messages/count_tokens in the form that llama-server reads; the same object where it has that form already. */
export function normalizeCountTokens(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { messages, system } = fields;
  rejectNonTextSystem(system);
  const read = Array.isArray(messages)
    ? pairToolResults(
        mapList(messages, (message, index) => normalizeMessage(message, `messages[${index}]`, notes)),
        notes,
      )
    : messages;
  return normalizeTools(withFields(fields, { system: stripBillingLine(system), messages: read }), notes);
}

/**
 * A request to /v1/messages. On this route llama-server reads neither a schema of the response nor a limit on parallel calls,
 * and few of its own fields; on the chat route it reads all. A request with one of them is converted to a chat, and its
 * response back.
 */
export function normalizeMessages(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const read = normalizeCountTokens(fields, notes);
  const schema = getSchema(read);
  const isLimited = isJsonObject(read.tool_choice) && read.tool_choice.disable_parallel_tool_use === true;
  if (schema === undefined && !isLimited && !hasChatFields(read)) return read;
  notes.responseConversion = 'message';
  return toChatRequest(read, schema, notes);
}

/** `output_config` is the current field, `output_format` that of the beta before it. */
function getSchema({ output_config, output_format }: JsonObject): JsonObject | undefined {
  const isCurrent = isJsonObject(output_config) && isJsonObject(output_config.format);
  const format = isCurrent ? output_config.format : output_format;
  if (!isJsonObject(format)) return undefined;
  const param = isCurrent ? 'output_config.format' : 'output_format';
  if (format.type !== 'json_schema') throw invalidValue(`${param}.type`, "'json_schema'");
  if (!isJsonObject(format.schema))
    throw invalidValue(`${param}.schema`, 'a JSON schema, an object', format.schema);
  return format.schema;
}

function rejectNonTextSystem(system: unknown): void {
  if (!Array.isArray(system)) return;
  const at = system.findIndex((block) => !isJsonObject(block) || block.type !== 'text');
  if (at !== -1)
    throw unsupportedValue(
      `system[${at}]`,
      "is not a text block, and a system prompt can contain only text. Send it in 'messages'.",
    );
}

/**
 * The tools of a request in the form that llama-server reads: it knows no choice by name, treats `none` as `auto`, and would
 * offer tools that run at Anthropic as if the client could run them.
 */
function normalizeTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { tools, tool_choice, mcp_servers } = fields;
  if (Array.isArray(mcp_servers) && mcp_servers.length > 0) notes.droppedTools.add('mcp_servers');
  const offered = Array.isArray(tools) ? dropServerTools(tools, notes) : [];
  const choice = readChoice(tool_choice);
  if (choice?.mode === 'none') return withFields(fields, { tools: undefined, tool_choice: undefined });
  const selected = choice ? selectTools(offered, getName, choice, 'tool_choice') : offered;
  return withFields(fields, {
    tools: Array.isArray(tools) ? (selected.length > 0 || selected === tools ? selected : undefined) : tools,
    tool_choice: choice?.names
      ? withFields(tool_choice as JsonObject, { type: 'any', name: undefined })
      : tool_choice,
  });
}

function readChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  const { type, name } = isJsonObject(choice) ? choice : {};
  if (type === 'none') return { mode: 'none' };
  if (type === 'auto') return undefined;
  if (type === 'any') return { mode: 'required' };
  if (type === 'tool' && typeof name === 'string') return { mode: 'required', names: [name] };
  throw invalidValue(
    'tool_choice',
    "an object whose 'type' is 'auto', 'any', 'none', or 'tool' (with the tool's 'name')",
  );
}

const getName = (tool: unknown) => (isJsonObject(tool) ? tool.name : undefined);

function dropServerTools(tools: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const kept = tools.filter((tool) => {
    if (!isJsonObject(tool) || runsAtClient(tool)) return true;
    noteDroppedTool(notes, tool.type);
    return false;
  });
  return kept.length === tools.length ? tools : kept;
}

/** A client's own tool has a schema; tools that Anthropic defines and the client runs have none. */
function runsAtClient({ type, input_schema }: JsonObject): boolean {
  return (
    type === undefined ||
    type === null ||
    type === 'custom' ||
    input_schema !== undefined ||
    definedTools.test(String(type))
  );
}

const definedTools = /^(?:bash|text_editor|computer|memory)_\d+$/;

/** A message of the Messages API as messages that llama-server reads; the same object where it has that form already. */
function normalizeMessage(message: unknown, place: string, notes: NormalizationNotes): unknown {
  if (!isJsonObject(message)) return message;
  const { role, content } = message;
  if (content === undefined || typeof content === 'string') return message;
  if (!Array.isArray(content))
    throw invalidValue(`${place}.content`, 'a string, or a list of blocks', content);
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
 * still have no result.
 */
function pairToolResults(messages: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
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
  for (let at = from; at < messages.length; at++) {
    const message = messages[at];
    if (!isJsonObject(message) || message.role !== 'user') break;
    found.push(...getResultIds(message));
  }
  return found;
}

function getIds(message: unknown, role: string, type: string, id: string): unknown[] {
  if (!isJsonObject(message) || message.role !== role || !Array.isArray(message.content)) return [];
  return message.content.flatMap((block) => (isJsonObject(block) && block.type === type ? [block[id]] : []));
}
