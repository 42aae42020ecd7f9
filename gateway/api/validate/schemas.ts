import { invalidValue } from '../../errors/catalogue.ts';
import { asList, asObject, type JsonObject } from './objects.ts';
import { SchemaValidator } from './schema.ts';

/** More would take the engine a second, and no model could read them. */
const MOST_TOOLS = 1000;

/** Refuses JSON schemas that llama-server cannot turn into a grammar in sound time, wherever a request names one. */
export function validateSchemas(fields: JsonObject): void {
  const { tools, response_format, json_schema, text, output_config, output_format } = fields;
  if (response_format !== undefined) {
    const { schema, json_schema: named } = asObject(response_format);
    check(schema, 'response_format.schema');
    check(asObject(named).schema, 'response_format.json_schema.schema');
  }
  check(json_schema, 'json_schema');
  if (text !== undefined) check(asObject(asObject(text).format).schema, 'text.format.schema');
  if (output_config !== undefined)
    check(asObject(asObject(output_config).format).schema, 'output_config.format.schema');
  check(asObject(output_format).schema, 'output_format.schema');
  if (tools !== undefined) checkTools(tools);
}

function check(schema: unknown, place: string): void {
  if (schema !== undefined && schema !== null) new SchemaValidator(schema, place).validate();
}

function checkTools(tools: unknown): void {
  const list = asList(tools);
  if (list.length > MOST_TOOLS) throw invalidValue('tools', `${MOST_TOOLS} tools at most`);
  list.forEach((tool, index) => {
    const { function: named, parameters, input_schema } = asObject(tool);
    check(asObject(named).parameters, `tools[${index}].function.parameters`);
    check(parameters, `tools[${index}].parameters`);
    check(input_schema, `tools[${index}].input_schema`);
  });
}
