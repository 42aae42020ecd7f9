import { findExceededLimit } from '../../../json/json-limits.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { asList, asObject, isJsonObject } from '../json.ts';
import { validateGrammar } from './grammar.ts';
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
  const exceeded = findExceededLimit(text, nestedLimits);
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
  for (let index = 0; index < list.length; index++) {
    const { function: named, parameters, input_schema } = asObject(list[index]);
    if (named !== undefined)
      validateSchema(asObject(named).parameters, `tools[${index}].function.parameters`);
    if (parameters !== undefined) validateSchema(parameters, `tools[${index}].parameters`);
    if (input_schema !== undefined) validateSchema(input_schema, `tools[${index}].input_schema`);
  }
}

/** The most items of a list, and the most characters of each item. llama-server goes through all of them at every token. */
const lists = {
  stop: [1000, 10_000],
  stop_sequences: [1000, 10_000],
  dry_sequence_breakers: [64, 1000],
  preserved_tokens: [1000, 1000],
  response_fields: [1000, 1000],
  reasoning_budget_end_tags: [64, 1000],
  grammar_triggers: [64, 1000],
} as const;

const MAX_BIASES = 20_000;
const MAX_SAMPLERS = 32;
/** The infill sampler compares each candidate with all others. */
const MAX_INFILL_CANDIDATES = 1000;

/** Rejects values of llama-server's own fields that crash it or keep it busy. */
function validateSampling(fields: JsonObject): void {
  for (const name in lists) {
    const value = fields[name];
    if (value !== undefined && value !== null) validateList(name as keyof typeof lists, value);
  }
  if (fields.grammar_triggers !== undefined) validateTriggers(fields.grammar_triggers);
  if (fields.logit_bias !== undefined) validateBiases(fields.logit_bias);
  if (fields.samplers !== undefined) validateSamplers(fields);
  if (typeof fields.chat_parser === 'string' && fields.chat_parser !== '')
    throw invalidValue('chat_parser', 'no value, because the field is internal to llama-server');
}

function validateList(name: keyof typeof lists, value: unknown): void {
  const [most, longest] = lists[name];
  const items = asList(value);
  if (items.length > most) throw invalidValue(name, `at most ${most} items, not ${items.length}`);
  if (items.some((item) => typeof item === 'string' && item.length > longest))
    throw invalidValue(name, `strings of at most ${longest} characters`);
}

/** 0 is a token, 1 a word, 2 and 3 are patterns, which llama-server matches by recursion; other numbers crash it. */
function validateTriggers(triggers: unknown): void {
  asList(triggers).forEach((trigger, index) => {
    if (!isJsonObject(trigger)) return;
    const { type, value } = trigger;
    const place = `grammar_triggers[${index}]`;
    const longest = lists.grammar_triggers[1];
    if (type !== 0 && type !== 1) throw invalidValue(`${place}.type`, '0 (a token) or 1 (a word)', type);
    if (typeof value === 'string' && value.length > longest)
      throw invalidValue(`${place}.value`, `at most ${longest} characters, not ${value.length}`);
  });
}

function validateBiases(biases: unknown): void {
  const count = isJsonObject(biases) ? Object.keys(biases).length : asList(biases).length;
  if (count > MAX_BIASES) throw invalidValue('logit_bias', `at most ${MAX_BIASES} tokens, not ${count}`);
}

function validateSamplers({ samplers, top_k }: JsonObject): void {
  const names = typeof samplers === 'string' ? [...samplers] : asList(samplers);
  if (names.length > MAX_SAMPLERS)
    throw invalidValue('samplers', `at most ${MAX_SAMPLERS} samplers, not ${names.length}`);
  const infill = names.findIndex(
    (name) => name === 'infill' || (name === 'i' && typeof samplers === 'string'),
  );
  if (infill === -1) return;
  const first = names.findIndex((name) => name === 'top_k' || name === 'top-k' || name === 'k');
  const isLimited = first !== -1 && first < infill && isSmall(top_k ?? 40);
  if (!isLimited)
    throw invalidValue(
      'samplers',
      `'top_k' before 'infill', with a top_k from 1 to ${MAX_INFILL_CANDIDATES}`,
    );
}

const isSmall = (count: unknown) => typeof count === 'number' && count >= 1 && count <= MAX_INFILL_CANDIDATES;
