import type { JsonObject } from '../../../json/json-object.ts';
import { isJsonObject } from '../json.ts';
import type { NormalizationNotes } from '../normalization.ts';
import { resolveFormatAndTools } from '../tool-choice.ts';

/** llama-server's own limit for /v1/messages without one. */
const DEFAULT_MAX_TOKENS = 4096;
const sharedFields = ['model', 'stream', 'temperature', 'top_p', 'top_k', 'chat_template_kwargs'] as const;

/** What llama-server reads of a chat, but drops from a request to /v1/messages. Anthropic has none of these fields. */
const chatFields: ReadonlySet<string> = new Set([
  ...['seed', 'min_p', 'typical_p', 'top_n_sigma', 'min_keep', 'samplers', 'logit_bias', 'ignore_eos'],
  ...['frequency_penalty', 'presence_penalty', 'repeat_penalty', 'repeat_last_n'],
  ...['dry_multiplier', 'dry_base', 'dry_allowed_length', 'dry_penalty_last_n', 'dry_sequence_breakers'],
  ...['xtc_probability', 'xtc_threshold', 'dynatemp_range', 'dynatemp_exponent'],
  ...['mirostat', 'mirostat_tau', 'mirostat_eta', 'adaptive_target', 'adaptive_decay'],
  ...['reasoning_effort', 'thinking_budget_tokens', 'grammar', 'json_schema', 'lora'],
]);

/** Whether a request has a field that llama-server reads only of chats. */
export function hasChatFields(fields: JsonObject): boolean {
  for (const name in fields) if (chatFields.has(name) && fields[name] !== null) return true;
  return false;
}

/**
 * Converts a request to /v1/messages to a chat, as llama-server's own converter does. The request must be normalized: only
 * the blocks that are left then are converted.
 */
export function toChatRequest(
  fields: JsonObject,
  schema: JsonObject | undefined,
  notes: NormalizationNotes,
): JsonObject {
  const { system, messages, tools, tool_choice, stop_sequences, max_tokens, thinking } = fields;
  const isThinking = isJsonObject(thinking) && thinking.type === 'enabled';
  const chat = withoutUndefined({
    ...Object.fromEntries([...sharedFields, ...chatFields].map((name) => [name, fields[name]])),
    messages: [...convertSystem(system), ...(messages as readonly unknown[]).flatMap(convertMessage)],
    tools: Array.isArray(tools) ? tools.map(convertTool) : undefined,
    ...convertChoice(tool_choice),
    stop: stop_sequences ?? undefined,
    max_tokens: max_tokens ?? DEFAULT_MAX_TOKENS,
    ...(isThinking && { thinking_budget_tokens: thinking.budget_tokens }),
    response_format: schema && { type: 'json_schema', json_schema: { name: 'answer', schema } },
  });
  return resolveFormatAndTools(chat, notes);
}

const withoutUndefined = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function convertSystem(system: unknown): object[] {
  const text = Array.isArray(system) ? system.map((block) => (block as JsonObject).text).join('') : system;
  return typeof text === 'string' ? [{ role: 'system', content: text }] : [];
}

function convertChoice(choice: unknown): object {
  if (!isJsonObject(choice)) return {};
  return {
    tool_choice: choice.type === 'any' ? 'required' : 'auto',
    ...(choice.disable_parallel_tool_use === true ? { parallel_tool_calls: false } : {}),
  };
}

function convertTool(tool: unknown): object {
  const { name, description, input_schema } = tool as JsonObject;
  return {
    type: 'function',
    function: { name, description: description ?? '', parameters: input_schema ?? {} },
  };
}

function convertMessage(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message.content)) return message;
  const blocks = message.content as readonly JsonObject[];
  const results = blocks.filter(({ type }) => type === 'tool_result');
  if (results.length > 0) return results.map(convertResult);
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(convertCall);
  const reasoning = blocks.filter(({ type }) => type === 'thinking').map(({ thinking }) => thinking);
  const parts = blocks.flatMap(convertPart);
  if (calls.length + reasoning.length + parts.length === 0) return [];
  return {
    role: message.role,
    content: parts.length > 0 ? parts : '',
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
  };
}

function convertResult({ tool_use_id, content }: JsonObject): object {
  const parts = Array.isArray(content) ? content.flatMap(convertPart) : [];
  const isText = parts.every(({ type }) => type === 'text');
  const text = Array.isArray(content) ? parts.map((part) => part.text).join('') : (content ?? '');
  return { role: 'tool', tool_call_id: tool_use_id, content: isText ? text : parts };
}

function convertCall({ id, name, input }: JsonObject): object {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function convertPart(block: JsonObject): JsonObject[] {
  if (block.type === 'text') return [{ type: 'text', text: block.text }];
  if (block.type !== 'image' || !isJsonObject(block.source)) return [];
  const { type, url, media_type, data } = block.source;
  const address = type === 'url' ? url : `data:${media_type ?? 'image/jpeg'};base64,${data}`;
  return [{ type: 'image_url', image_url: { url: address } }];
}
