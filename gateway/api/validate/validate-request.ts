import { invalidValue } from '../../errors/catalogue.ts';
import { asList, asObject, isJsonObject, type JsonObject } from '../json-object.ts';
import { findExceededLimit } from '../json-text.ts';
import { validateGrammar } from './grammar.ts';
import { validateSampling } from './sampling.ts';
import { SchemaValidator } from './schema.ts';

/**
 * Rejects what crashes or hangs llama-server, or keeps it busy for seconds: it reads parts of a request by recursion, copies
 * them again and again, and multiplies repetitions out. The limits are far beyond what clients send. They are those of
 * llama-server 0.7.0 and of builds before it (`npm run fuzz -- --only engine` searches for others).
 */
export function validateRequest(fields: JsonObject): void {
  validateNestedJson(fields);
  validateSchemas(fields);
  validateGrammar(fields);
  validateSampling(fields);
}

/** For a string that contains JSON again. */
const nestedLimits = { levels: 128, values: 1_000_000 } as const;

/** Validates strings that llama-server parses as JSON: the arguments of tool calls, in the formats of all APIs. */
function validateNestedJson(fields: JsonObject): void {
  for (const list of ['messages', 'input'] as const) {
    const items = asList(fields[list]);
    for (let at = 0; at < items.length; at++) {
      const item = items[at];
      if (isJsonObject(item)) validateItem(item, list, at);
    }
  }
}

function validateItem(item: JsonObject, list: string, at: number): void {
  const { arguments: args, function_call: call, tool_calls: calls, content } = item;
  if (args !== undefined) validateText(args, () => `${list}[${at}].arguments`);
  if (call !== undefined)
    validateText(asObject(call).arguments, () => `${list}[${at}].function_call.arguments`);
  if (calls !== undefined) validateCalls(calls, () => `${list}[${at}].tool_calls`);
  if (Array.isArray(content)) validateParts(content, () => `${list}[${at}].content`);
}

function validateCalls(calls: unknown, place: () => string): void {
  asList(calls).forEach((call, index) => {
    const { function: named, arguments: args } = asObject(call);
    validateText(asObject(named).arguments, () => `${place()}[${index}].function.arguments`);
    validateText(args, () => `${place()}[${index}].arguments`);
  });
}

function validateParts(parts: readonly unknown[], place: () => string): void {
  for (let index = 0; index < parts.length; index++) {
    const part = asObject(parts[index]);
    for (const name of ['input', 'arguments'] as const)
      validateText(part[name], () => `${place()}[${index}].${name}`);
  }
}

/** Other values are limited with the body. A short text cannot be nested too deeply. */
function validateText(text: unknown, place: () => string): void {
  if (typeof text !== 'string' || text.length <= nestedLimits.levels) return;
  const exceeded = findExceededLimit(Buffer.from(text), nestedLimits);
  if (exceeded === 'levels')
    throw invalidValue(place(), `JSON with at most ${nestedLimits.levels} levels of nesting`);
  if (exceeded === 'values') throw invalidValue(place(), `JSON with at most ${nestedLimits.values} values`);
}

/** More tools take the engine a second, and no model could read them. */
const MAX_TOOLS = 1000;

/** Validates JSON schemas that llama-server converts to a grammar, wherever a request has one. */
function validateSchemas(fields: JsonObject): void {
  const { tools, response_format, json_schema, text, output_config, output_format } = fields;
  if (response_format !== undefined) {
    const { schema, json_schema: named } = asObject(response_format);
    validateSchema(schema, 'response_format.schema');
    validateSchema(asObject(named).schema, 'response_format.json_schema.schema');
  }
  validateSchema(json_schema, 'json_schema');
  if (text !== undefined) validateSchema(asObject(asObject(text).format).schema, 'text.format.schema');
  if (output_config !== undefined)
    validateSchema(asObject(asObject(output_config).format).schema, 'output_config.format.schema');
  validateSchema(asObject(output_format).schema, 'output_format.schema');
  if (tools !== undefined) validateTools(tools);
}

function validateSchema(schema: unknown, place: string): void {
  if (schema !== undefined && schema !== null) new SchemaValidator(schema, place).validate();
}

function validateTools(tools: unknown): void {
  const list = asList(tools);
  if (list.length > MAX_TOOLS) throw invalidValue('tools', `at most ${MAX_TOOLS} tools, not ${list.length}`);
  list.forEach((tool, index) => {
    const { function: named, parameters, input_schema } = asObject(tool);
    validateSchema(asObject(named).parameters, `tools[${index}].function.parameters`);
    validateSchema(parameters, `tools[${index}].parameters`);
    validateSchema(input_schema, `tools[${index}].input_schema`);
  });
}
