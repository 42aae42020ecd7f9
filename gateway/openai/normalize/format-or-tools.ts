import { type Fields, isFields, withFields } from './fields.ts';
import type { Notes } from './notes.ts';

/**
 * llama-server holds an answer to a schema or lets it call tools, never both: with a schema no tool is ever called. Where one
 * has to be called the schema, which is meant for a text, is left out; else the schema is held, and the client is told.
 */
export function formatOrTools(fields: Fields, notes: Notes): Fields {
  const { response_format, tools, tool_choice } = fields;
  const hasSchema = isFields(response_format) && response_format.type === 'json_schema';
  if (!hasSchema || !Array.isArray(tools) || tools.length === 0 || tool_choice === 'none') return fields;
  if (tool_choice === 'required') return withFields(fields, { response_format: undefined });
  notes.droppedTools.add('function');
  return fields;
}
