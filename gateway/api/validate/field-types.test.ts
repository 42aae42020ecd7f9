import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors/api-error.ts';
import { validateFieldTypes } from './field-types.ts';

type ValidatedApi = Parameters<typeof validateFieldTypes>[0];

function getParam(api: ValidatedApi, fields: object): string | null | undefined {
  try {
    validateFieldTypes(api, fields as Record<string, unknown>);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.param;
    throw error;
  }
}

const values = {
  text: 'x',
  number: 7,
  flag: true,
  list: ['x'],
  objects: [{ type: 'x' }],
  object: { type: 'json_schema', json_schema: { schema: {} }, format: null },
} as const;
type Kind = keyof typeof values;

const lists: readonly Kind[] = ['list', 'objects'];
const chatFields: readonly [string, readonly Kind[]][] = [
  ['stop', ['text', ...lists]],
  ['logit_bias', ['object', ...lists]],
  ['grammar', ['text']],
  ['stream_options', ['object']],
  ['response_format', ['object']],
  ['reasoning_effort', ['text']],
  ['parallel_tool_calls', ['flag']],
  ['tool_choice', ['text', 'object']],
  ['functions', lists],
  ['function_call', ['text', 'object']],
  ['chat_template_kwargs', ['object']],
];
const messageFields: readonly [string, readonly Kind[]][] = [
  ['system', ['text', ...lists]],
  ['stop_sequences', lists],
  ['tools', ['objects']],
  ['thinking', ['object']],
  ['output_config', ['object']],
  ['output_format', ['object']],
];
const fieldsByApi: readonly [ValidatedApi, readonly [string, readonly Kind[]][]][] = [
  ['chat', chatFields],
  ['completion', chatFields.slice(0, 4)],
  [
    'responses',
    [
      ...chatFields,
      ['text', ['object']],
      ['reasoning', ['object']],
      ['include', lists],
      ['tools', ['objects']],
      ['max_output_tokens', ['number']],
    ],
  ],
  ['messages', messageFields],
  ['counted messages', messageFields],
  ['rerank', [['return_documents', ['flag']]]],
  [undefined, [...chatFields.slice(0, 3), ['encoding_format', ['text']]]],
];

describe.each(fieldsByApi)('%s', (api, fields) => {
  it.each(fields)('%s is accepted as %j only', (name, accepted) => {
    for (const kind of Object.keys(values) as Kind[])
      expect([kind, getParam(api, { [name]: values[kind] })]).toEqual([
        kind,
        accepted.includes(kind) ? undefined : name,
      ]);
  });

  it.each(fields)('%s may be null or missing', (name) => {
    expect(getParam(api, { [name]: null })).toBeUndefined();
    expect(getParam(api, {})).toBeUndefined();
  });
});

it.each(['stream_options', 'response_format', 'logit_bias', 'chat_template_kwargs'])(
  'an empty list, as PHP writes an empty object, is accepted as %s',
  (name) => expect(getParam('chat', { [name]: [] })).toBeUndefined(),
);

const schema = { type: 'object' };
describe('a schema that llama-server would not find is rejected', () => {
  it.each<[object, string | undefined]>([
    [{}, undefined],
    [{ type: 'text' }, undefined],
    [{ type: 'json_object' }, undefined],
    [{ type: 'json_object', schema }, undefined],
    [{ type: 'json_object', schema: null }, undefined],
    [{ type: 'json_schema', json_schema: { name: 'x', schema } }, undefined],
    [{ schema }, 'response_format.type'],
    [{ type: null, json_schema: { schema } }, 'response_format.type'],
    [{ type: 'json_object', schema: 'x' }, 'response_format.schema'],
    [{ type: 'json_schema' }, 'response_format.json_schema'],
    [{ type: 'json_schema', schema }, 'response_format.json_schema'],
    [{ type: 'json_schema', json_schema: schema }, 'response_format.json_schema.schema'],
    [{ type: 'json_schema', json_schema: { schema: true } }, 'response_format.json_schema.schema'],
    [{ type: 'json_schema', json_schema: { schema: null } }, 'response_format.json_schema.schema'],
  ])('chat and responses: %j', (response_format, param) => {
    expect(getParam('chat', { response_format })).toBe(param);
    expect(getParam('responses', { response_format })).toBe(param);
  });

  it.each<[unknown, string | undefined]>([
    [null, undefined],
    [{}, undefined],
    [{ type: 'text' }, undefined],
    [{ type: 'json_object' }, undefined],
    [{ type: 'json_schema', name: 'x', schema }, undefined],
    ['json_schema', 'text.format'],
    [{ schema }, 'text.format.type'],
    [{ type: 'json_schema', name: 'x' }, 'text.format.schema'],
    [{ type: 'json_schema', json_schema: { schema } }, 'text.format.schema'],
    [{ type: 'json_schema', schema: [] }, 'text.format.schema'],
  ])('responses: %j', (format, param) => {
    expect(getParam('responses', { text: { format } })).toBe(param);
  });
});
