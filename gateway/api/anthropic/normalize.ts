import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { stripBillingLine } from '../billing-line.ts';
import { isJsonObject, type JsonObject, mapList, withFields } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { toChatRequest } from './chat-request.ts';
import { normalizeMessage } from './content-blocks.ts';
import { pairToolResults } from './pair-results.ts';
import { normalizeMessageTools } from './tools.ts';

/** A request to /v1/messages/count_tokens as llama-server reads it; the same fields where it does already. */
export function normalizeCountTokens(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { messages, system } = fields;
  refuseOtherSystem(system);
  const read = Array.isArray(messages)
    ? pairToolResults(
        mapList(messages, (message, index) => normalizeMessage(message, `messages[${index}]`, notes)),
        notes,
      )
    : messages;
  return normalizeMessageTools(
    withFields(fields, { system: stripBillingLine(system), messages: read }),
    notes,
  );
}

/**
 * A request to /v1/messages. llama-server reads neither a schema of the answer nor a bound on calls at once on this route,
 * and does both on that of chats: a request with one of them is served there, and its answer worded back.
 */
export function normalizeMessages(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const read = normalizeCountTokens(fields, notes);
  const schema = schemaOf(read);
  const isBound = isJsonObject(read.tool_choice) && read.tool_choice.disable_parallel_tool_use === true;
  if (schema === undefined && !isBound) return read;
  notes.responseConversion = 'message';
  return toChatRequest(read, schema, notes);
}

/** Both of its places: the one of today, and that of the beta before it. */
function schemaOf({ output_config, output_format }: JsonObject): JsonObject | undefined {
  const isConfigured = isJsonObject(output_config) && isJsonObject(output_config.format);
  const format = isConfigured ? output_config.format : output_format;
  if (!isJsonObject(format)) return undefined;
  const param = isConfigured ? 'output_config.format' : 'output_format';
  if (format.type !== 'json_schema') throw invalidValue(`${param}.type`, "'json_schema'");
  if (!isJsonObject(format.schema)) throw invalidValue(`${param}.schema`, 'a JSON schema');
  return format.schema;
}

function refuseOtherSystem(system: unknown): void {
  if (!Array.isArray(system)) return;
  const at = system.findIndex((block) => !isJsonObject(block) || block.type !== 'text');
  if (at !== -1)
    throw unsupportedValue(
      `system[${at}]`,
      'is no text, and a system prompt is of text alone. Send it in messages.',
    );
}
