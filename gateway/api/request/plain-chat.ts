import type { JsonObject } from '../../../json/json-object.ts';
import { isJsonObject } from '../json.ts';
import { hasBillingLine } from '../normalization.ts';
import { MIN_MEDIUM_LENGTH } from '../request-size.ts';

/** llama-server reads them as OpenAI does, and no value of them costs it much. */
const plainFields = new Set([
  ...['model', 'user', 'stream', 'n', 'max_tokens', 'max_completion_tokens', 'seed'],
  ...['temperature', 'top_p', 'top_k', 'min_p', 'typical_p', 'cache_prompt', 'logprobs', 'top_logprobs'],
  ...['frequency_penalty', 'presence_penalty', 'repeat_penalty', 'service_tier', 'store'],
]);
const plainRoles: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant']);

/**
 * Whether a chat consists of texts and of numbers, names and switches, as most chats do. Validation accepts all of them,
 * normalization changes none, and they contain no media.
 */
export function isPlainChat(fields: JsonObject): boolean {
  for (const name in fields) {
    const value = fields[name];
    if (name === 'messages') {
      if (!arePlainMessages(value)) return false;
    } else if (name === 'stream_options') {
      if (!isJsonObject(value) || !areSwitches(value)) return false;
    } else if (!plainFields.has(name) || !isPlainValue(value)) return false;
  }
  return true;
}

function arePlainMessages(messages: unknown): boolean {
  if (!Array.isArray(messages)) return false;
  for (const message of messages) if (!isPlainMessage(message)) return false;
  return messages.length === 0 || !hasBillingLine(messages[0].content);
}

function isPlainMessage(message: unknown): boolean {
  if (!isJsonObject(message) || typeof message.content !== 'string') return false;
  for (const name in message) if (name !== 'role' && name !== 'content') return false;
  return plainRoles.has(message.role);
}

function areSwitches(fields: JsonObject): boolean {
  for (const name in fields) if (typeof fields[name] !== 'boolean') return false;
  return true;
}

const isPlainValue = (value: unknown): boolean =>
  typeof value === 'string' ? value.length < MIN_MEDIUM_LENGTH : typeof value !== 'object' || value === null;
