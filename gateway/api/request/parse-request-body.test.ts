import { expect, it } from 'vitest';
import type { JsonObject } from '../../../json/json-object.ts';
import type { Api } from './normalize-request.ts';
import { parseRequestBody } from './parse-request-body.ts';

const options = {
  allowRemoteMedia: false,
  shortAnswerTokens: 32,
  requiresMessages: false,
  isResponses: false,
  shape: 'chat',
  inputsField: undefined,
} as const;
/** It would keep llama-server busy for ever. */
const endless = { type: 'object', properties: { a: { type: 'string', pattern: '^a{5,1}$' } } };
const format = { type: 'json_schema', schema: endless };
const messages = [{ role: 'user', content: 'x' }];
const url = 'http://169.254.169.254/';
const image = { type: 'image', source: { type: 'url', url } };

it.each<[Api, object]>([
  ['messages', { messages, output_config: { format } }],
  ['messages', { messages, output_format: format }],
  [
    'messages',
    { messages, tools: [{ name: 'a', input_schema: endless }], tool_choice: { type: 'tool', name: 'a' } },
  ],
  [
    'messages',
    {
      messages: [
        { role: 'user', content: [{ type: 'document', source: { type: 'content', content: [image] } }] },
      ],
    },
  ],
  ['chat', { messages, functions: [{ name: 'a', parameters: endless }], function_call: { name: 'a' } }],
  ['chat', { messages, tools: [{ function: { name: 'a', parameters: endless } }] }],
  [
    'responses',
    {
      input: 'x',
      tools: [
        { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'a', parameters: endless }] },
      ],
    },
  ],
  ['responses', { input: 'x', text: { format: { ...format, name: 'x' } } }],
])(
  'a harmful value is rejected, even where only normalization moves it to its harmful place: %s %j',
  (api, fields) => {
    expect(() => parseRequestBody(Buffer.from(JSON.stringify(fields)), { ...options, api })).toThrow(
      expect.objectContaining({ status: 400 }),
    );
  },
);

it.each<[string, string | Buffer, string]>([
  ['nothing', '', 'it is empty'],
  ['bytes that are no text', Buffer.from('{"a":"\xff"}', 'latin1'), 'it is not UTF-8'],
  ['such bytes beside half a character', Buffer.from('{"a":"\xff \\ud83d"}', 'latin1'), 'it is not UTF-8'],
  [
    'levels behind the same name',
    `{"a":${'['.repeat(256)}${']'.repeat(256)},"a":1}`,
    'deeper than 256 levels',
  ],
  ['levels that never end', '['.repeat(257), 'deeper than 256 levels'],
  ['a list', '[]', 'expected an object'],
])('a body with %s is rejected', (_, body, message) => {
  expect(() => parseRequestBody(Buffer.from(body), { ...options, api: 'chat' })).toThrow(message);
});

it('half a character is replaced, and the rest of the body is kept', () => {
  const body = String.raw`{"messages":[ {"role":"user","content":"\\ud83d \ud83d"}],"max_tokens":1.0}`;
  const sent = parseRequestBody(Buffer.from(body), { ...options, api: 'chat' }).body.toString();
  expect(sent).toBe(body.replace(String.raw` \ud83d`, String.raw` \ufffd`));
});

it.each<[Api | undefined, object]>([
  ['chat', { model: 'm', messages, max_tokens: 5 }],
  ['chat', { messages: [{ role: 'developer', content: 'x' }], functions: [{ name: 'a', parameters: {} }] }],
  ['messages', { messages, max_tokens: 5, stream: true }],
  ['responses', { input: 'x' }],
  [undefined, { prompt: 'x' }],
])('a body that was parsed before is read as one that was not: %s %j', (api, fields) => {
  const body = Buffer.from(JSON.stringify(fields));
  const read = (parsed?: JsonObject) => {
    const request = parseRequestBody(body, { ...options, api }, parsed);
    return { ...request, body: request.body.toString() };
  };
  expect(JSON.stringify(read(JSON.parse(body.toString())))).toBe(JSON.stringify(read()));
});

it.each([-1, 0, 1.5, 1e99, 2 ** 31, '1', true, []])('a ranking cannot have %j results', (top_n) => {
  const rerank = { ...options, api: 'rerank', shape: undefined, inputsField: 'documents' } as const;
  const parse = (more: object) =>
    parseRequestBody(Buffer.from(JSON.stringify({ query: 'x', documents: ['y'], ...more })), rerank);
  expect(() => parse({ top_n })).toThrow("Invalid 'top_n': expected an integer from 1 to 2147483647");
  for (const valid of [{}, { top_n: 1 }, { top_n: null }]) expect(parse(valid).sequences).toBe(1);
});
