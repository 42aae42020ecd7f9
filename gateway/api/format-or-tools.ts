import { isJsonObject, type JsonObject, withFields } from './json-object.ts';
import type { NormalizationNotes } from './normalization-notes.ts';

/**
 * llama-server holds an answer to a schema or lets it call tools, never both: with a schema no tool is ever called. Where one
 * has to be called the schema, which is meant for a text, is left out; else the schema is held, and the client is told.
 */
export function resolveFormatAndTools(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  const { response_format, tools, tool_choice } = fields;
  const hasSchema = isJsonObject(response_format) && response_format.type === 'json_schema';
  if (!hasSchema || !Array.isArray(tools) || tools.length === 0 || tool_choice === 'none') return fields;
  if (tool_choice === 'required') return withFields(fields, { response_format: undefined });
  notes.droppedTools.add('function');
  return fields;
}
