import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { isJsonObject } from '../json.ts';

interface FieldType {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

const isString = (value: unknown) => typeof value === 'string';
/** PHP writes an object without members as a list. */
const isObject = (value: unknown) => isJsonObject(value) || (Array.isArray(value) && value.length === 0);

const text: FieldType = { expected: 'a string', accepts: isString };
const flag: FieldType = { expected: 'a boolean', accepts: (value) => typeof value === 'boolean' };
const number: FieldType = { expected: 'a number', accepts: (value) => typeof value === 'number' };
const object: FieldType = { expected: 'an object', accepts: isObject };
const list: FieldType = { expected: 'a list', accepts: Array.isArray };
const objects: FieldType = {
  expected: 'a list of objects',
  accepts: (value) => Array.isArray(value) && value.every(isJsonObject),
};
const textOrList: FieldType = {
  expected: 'a string or a list',
  accepts: (value) => isString(value) || Array.isArray(value),
};
const textOrObject: FieldType = {
  expected: 'a string or an object',
  accepts: (value) => isString(value) || isJsonObject(value),
};
const objectOrList: FieldType = {
  expected: 'an object or a list',
  accepts: (value) => isJsonObject(value) || Array.isArray(value),
};

type FieldTypes = readonly (readonly [name: string, type: FieldType])[];

/** Of llama-server's own routes, and of embeddings. */
const ownTypes: FieldTypes = [
  ['stop', textOrList],
  ['logit_bias', objectOrList],
  ['grammar', text],
  ['encoding_format', text],
];

const completionTypes: FieldTypes = [...ownTypes, ['stream_options', object]];

const chatTypes: FieldTypes = [
  ...completionTypes,
  ['response_format', object],
  ['reasoning_effort', text],
  ['parallel_tool_calls', flag],
  ['tool_choice', textOrObject],
  ['functions', list],
  ['function_call', textOrObject],
  ['chat_template_kwargs', object],
];

const messageTypes: FieldTypes = [
  ...ownTypes,
  ['system', textOrList],
  ['stop_sequences', list],
  ['tools', objects],
  ['thinking', object],
  ['output_config', object],
  ['output_format', object],
  ['chat_template_kwargs', object],
];

/** The fields that llama-server ignores if their value has a wrong type, and those whose error would not name them. */
const fieldTypes = {
  chat: chatTypes,
  completion: completionTypes,
  responses: [
    ...chatTypes,
    ['text', object],
    ['reasoning', object],
    ['include', list],
    ['tools', objects],
    ['max_output_tokens', number],
  ],
  messages: messageTypes,
  'counted messages': messageTypes,
  rerank: [['return_documents', flag]],
} as const satisfies Record<string, FieldTypes>;

/** Rejects values that llama-server would ignore because of their type, or of their place: the response would be another one. */
export function validateFieldTypes(api: keyof typeof fieldTypes | undefined, fields: JsonObject): void {
  const types: FieldTypes = api === undefined ? ownTypes : fieldTypes[api];
  for (const [name, { expected, accepts }] of types) {
    const value = fields[name];
    if (value !== undefined && value !== null && !accepts(value)) throw invalidValue(name, expected, value);
  }
  if (api === 'chat' || api === 'responses') validateResponseFormat(fields.response_format);
  if (api === 'responses' && isJsonObject(fields.text)) validateTextFormat(fields.text.format);
}

/** The format of chat completions. */
function validateResponseFormat(format: unknown): void {
  if (!isJsonObject(format) || isEmpty(format)) return;
  const place = 'response_format';
  validateType(format.type, place);
  if (format.type === 'json_schema') {
    const { json_schema: named } = format;
    if (!isJsonObject(named)) throw invalidValue(`${place}.json_schema`, "an object with a 'schema'", named);
    validateSchema(named.schema, `${place}.json_schema.schema`);
  } else if (format.schema !== undefined && format.schema !== null) {
    validateSchema(format.schema, `${place}.schema`);
  }
}

/** The format of Responses. */
function validateTextFormat(format: unknown): void {
  const place = 'text.format';
  if (format === undefined || format === null) return;
  if (!isObject(format)) throw invalidValue(place, 'an object', format);
  if (!isJsonObject(format) || isEmpty(format)) return;
  validateType(format.type, place);
  if (format.type === 'json_schema') validateSchema(format.schema, `${place}.schema`);
}

function validateType(type: unknown, place: string): void {
  if (!isString(type)) throw invalidValue(`${place}.type`, "'text', 'json_object' or 'json_schema'", type);
}

function validateSchema(schema: unknown, place: string): void {
  if (!isJsonObject(schema)) throw invalidValue(place, 'a JSON schema, an object', schema);
}

const isEmpty = (object: JsonObject) => Object.keys(object).length === 0;
