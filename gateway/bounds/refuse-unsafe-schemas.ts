import { invalidValue } from '../refusal/catalogue.ts';
import { type Fields, fieldsOf, itemsOf } from './objects.ts';
import { SchemaCheck } from './schema-check.ts';

/** More would take the engine a second, and no model could read them. */
const MOST_TOOLS = 1000;

/** Refuses JSON schemas that llama-server cannot turn into a grammar in sound time, wherever a request names one. */
export function refuseUnsafeSchemas(fields: Fields): void {
  const { tools, response_format, json_schema, text, output_config, output_format } = fields;
  if (response_format !== undefined) {
    const { schema, json_schema: named } = fieldsOf(response_format);
    check(schema, 'response_format.schema');
    check(fieldsOf(named).schema, 'response_format.json_schema.schema');
  }
  check(json_schema, 'json_schema');
  if (text !== undefined) check(fieldsOf(fieldsOf(text).format).schema, 'text.format.schema');
  if (output_config !== undefined)
    check(fieldsOf(fieldsOf(output_config).format).schema, 'output_config.format.schema');
  check(fieldsOf(output_format).schema, 'output_format.schema');
  if (tools !== undefined) checkTools(tools);
}

function check(schema: unknown, place: string): void {
  if (schema !== undefined && schema !== null) new SchemaCheck(schema, place).run();
}

function checkTools(tools: unknown): void {
  const list = itemsOf(tools);
  if (list.length > MOST_TOOLS) throw invalidValue('tools', `${MOST_TOOLS} tools at most`);
  list.forEach((tool, index) => {
    const { function: named, parameters, input_schema } = fieldsOf(tool);
    check(fieldsOf(named).parameters, `tools[${index}].function.parameters`);
    check(parameters, `tools[${index}].parameters`);
    check(input_schema, `tools[${index}].input_schema`);
  });
}
