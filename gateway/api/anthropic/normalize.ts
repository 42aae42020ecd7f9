import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { stripBillingLine } from '../billing-line.ts';
import { isJsonObject, type JsonObject, mapList, withFields } from '../json-object.ts';
import { type NormalizationNotes, noteDroppedTool } from '../normalization-notes.ts';
import { selectTools, type ToolChoice } from '../tool-choice.ts';
import { toChatRequest } from './chat-request.ts';
import { normalizeMessage, pairToolResults } from './messages.ts';

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
 * A request to /v1/messages. On this route llama-server reads neither a schema of the answer nor a limit on parallel calls;
 * on the chat route it reads both. A request with one of them is converted to a chat, and its response back.
 */
export function normalizeMessages(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const read = normalizeCountTokens(fields, notes);
  const schema = getSchema(read);
  const isLimited = isJsonObject(read.tool_choice) && read.tool_choice.disable_parallel_tool_use === true;
  if (schema === undefined && !isLimited) return read;
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
  if (!isJsonObject(format.schema)) throw invalidValue(`${param}.schema`, 'a JSON schema, an object');
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
