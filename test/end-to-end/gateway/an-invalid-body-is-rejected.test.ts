import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const hello = [{ role: 'user', content: 'hello' }];
const chat = (fields: object) => ({ messages: hello, max_tokens: 2, ...fields });

/** Not JSON, or not an object. */
const notJson: Record<string, string | Buffer> = {
  'cut short': '{"messages":[',
  'single quotes': "{'messages':[]}",
  'a trailing comma': '{"messages":[],}',
  'a comment': '{"messages":[] /* no */}',
  'two objects': '{"a":1}{"b":2}',
  'nothing at all': '',
  'white space': ' \r\n\t',
  'an array': '[{"messages":[]}]',
  null: 'null',
  'a string': '"messages"',
  'a number': '12',
  NaN: '{"temperature":NaN}',
  'a NUL': '{"messages":"\0"}',
  'a raw line end in a string': '{"messages":"a\nb"}',
  'a byte order mark': '\ufeff{"messages":[]}',
  'UTF-16': Buffer.from('{"messages":[]}', 'utf16le'),
  'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'an overlong encoding': Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xc0, 0xaf), Buffer.from('"}')]),
  'a half of a surrogate pair, raw': Buffer.concat([
    Buffer.from('{"a":"'),
    Buffer.of(0xed, 0xa0, 0x80),
    Buffer.from('"}'),
  ]),
  'brackets without end': '['.repeat(100_000),
  'deep nesting': nested(100_000),
  'millions of values': `{"messages":[${'0,'.repeat(2_100_000)}0]}`,
  'a form': 'messages=hello',
};

/** JSON with an invalid value, and the field that the error names, where the gateway detects it. */
const wrong: [path: string, body: object, param?: string][] = [
  ['/v1/chat/completions', {}, 'messages'],
  ['/v1/chat/completions', { messages: null }, 'messages'],
  ['/v1/chat/completions', { messages: 'hello' }, 'messages'],
  ['/v1/chat/completions', { messages: {} }, 'messages'],
  ['/v1/chat/completions', { messages: ['hello'] }],
  ['/v1/chat/completions', { messages: [{}] }],
  ['/v1/chat/completions', { messages: [{ role: 1, content: 'hello' }] }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 5 }] }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] }],
  ['/v1/chat/completions', chat({ model: 5 }), 'model'],
  ['/v1/chat/completions', chat({ model: ['a'] }), 'model'],
  ['/v1/chat/completions', chat({ stream: 'yes' }), 'stream'],
  ['/v1/chat/completions', chat({ stream: 1 }), 'stream'],
  ['/v1/chat/completions', chat({ n: 0 }), 'n'],
  ['/v1/chat/completions', chat({ n: -1 }), 'n'],
  ['/v1/chat/completions', chat({ n: 1.5 }), 'n'],
  ['/v1/chat/completions', chat({ n: '2' }), 'n'],
  ['/v1/chat/completions', chat({ n: 1e9 })],
  ['/v1/chat/completions', chat({ n: 1e308 }), 'n'],
  ['/v1/chat/completions', chat({ temperature: 'hot' })],
  ['/v1/chat/completions', chat({ max_tokens: 'x' })],
  ['/v1/chat/completions', chat({ tools: 'x' })],
  ['/v1/chat/completions', chat({ tools: [{}] })],
  ['/v1/chat/completions', chat({ response_format: { type: 'poem' } })],
  ['/v1/chat/completions', chat({ response_format: 'json_object' }), 'response_format'],
  ['/v1/chat/completions', chat({ response_format: { schema: {} } }), 'response_format.type'],
  [
    '/v1/chat/completions',
    chat({ stream: true, response_format: { type: 'json_schema', schema: {} } }),
    'response_format.json_schema',
  ],
  ['/v1/chat/completions', chat({ stop: { word: 'x' } }), 'stop'],
  ['/v1/chat/completions', chat({ tool_choice: ['x'] }), 'tool_choice'],
  ['/v1/chat/completions', chat({ stream: true, temperature: 'hot' })],
  ['/v1/chat/completions/input_tokens', {}, 'messages'],
  ['/v1/completions', {}],
  ['/v1/completions', { prompt: 5 }],
  ['/v1/completions', { prompt: {} }],
  ['/v1/completions', { prompt: 'x', n: 0 }, 'n'],
  ['/v1/completions', { prompt: 'x', temperature: 'hot' }],
  ['/v1/completions', { prompt: [1e9] }],
  ['/v1/completions', { prompt: 'x', grammar: { root: 'x' } }, 'grammar'],
  ['/v1/completions', { prompt: 'x', stop: 5, stream: true }, 'stop'],
  ['/v1/responses', {}],
  ['/v1/responses', { input: 5 }],
  ['/v1/responses', { input: {} }],
  ['/v1/responses', { input: [{}] }, 'input[0]'],
  ['/v1/responses', { input: 'x', text: { format: 'json_schema' } }, 'text.format'],
  ['/v1/responses', { input: 'x', max_output_tokens: 'x' }, 'max_output_tokens'],
  ['/v1/responses', { input: 'x', tools: ['x'] }, 'tools'],
  ['/v1/responses/input_tokens', {}],
  ['/v1/responses/input_tokens', { input: 'x', tools: ['x'] }, 'tools'],
  ['/apply-template', chat({ chat_template_kwargs: 'x' }), 'chat_template_kwargs'],
  ['/completion', {}],
  ['/completion', { prompt: 'x', logit_bias: 'x' }, 'logit_bias'],
  ['/detokenize', { tokens: [1e9] }],
];

const wrongMessages: [path: string, body: object][] = [
  ['/v1/messages', {}],
  ['/v1/messages', { max_tokens: 2, messages: 'hello' }],
  ['/v1/messages', { max_tokens: 2, messages: null }],
  ['/v1/messages', { max_tokens: 2, messages: [5] }],
  ['/v1/messages', { max_tokens: 2, messages: hello, stream: 'yes' }],
  ['/v1/messages', { max_tokens: 'x', messages: hello }],
  ['/v1/messages', { max_tokens: 2, messages: hello, temperature: 'hot' }],
  ['/v1/messages', { max_tokens: 2, messages: hello, stop_sequences: 'x' }],
  ['/v1/messages', { max_tokens: 2, messages: hello, system: { text: 'x' } }],
  ['/v1/messages', { max_tokens: 2, messages: hello, tools: 'x', stream: true }],
  ['/v1/messages', { max_tokens: 2, messages: hello, tools: ['x'] }],
  ['/v1/messages', { max_tokens: 2, messages: hello, output_config: 'x' }],
  ['/v1/messages/count_tokens', {}],
  ['/v1/messages/count_tokens', { messages: hello, system: 5 }],
  ['/v1/messages/count_tokens', { messages: 5 }],
];

let engine: LlamaServer;
let corral: TestGateway;
beforeAll(async () => {
  engine = await startLlamaServer({ slots: 2, context: 1024 });
  const keys = keyFileText({ tester: { secret: testerSecret, scopes: ['inference', 'native'] } });
  corral = await startTestGateway({ backend: engine.backend, keys });
});
afterAll(async () => {
  await corral.stop();
  await engine.stop();
});
afterEach(() => gatewayIsIdle(corral));

async function post(path: string, body: string | Buffer) {
  await using client = await RawClient.connect(corral.port);
  const head = postOf('', { path }).replace(
    'Content-Length: 0',
    `Content-Length: ${Buffer.byteLength(body)}`,
  );
  client.send(head).send(body);
  const response = await client.response();
  return { status: response?.status, error: JSON.parse(response?.body ?? '').error };
}

describe('a body that is not a JSON object is rejected', () => {
  it.each(Object.entries(notJson))('%s', async (_, body) => {
    const { status, error } = await post('/v1/chat/completions', body);
    expect(status).toBe(400);
    expect(error).toEqual({
      message: expect.stringMatching(/^The request body is not valid JSON: \S/),
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_json',
    });
  });
});

describe('an invalid value is rejected', () => {
  it.each(wrong)('%s %j', async (path, body, param) => {
    const { status, error } = await post(path, JSON.stringify(body));
    expect(status).toBe(400);
    expect(error).toEqual({
      message: expect.stringMatching(/\S/),
      type: 'invalid_request_error',
      param: param ?? null,
      code: 'invalid_value',
    });
  });

  it.each(wrongMessages)('%s %j', async (path, body) => {
    const { status, error } = await post(path, JSON.stringify(body));
    expect(status).toBe(400);
    expect(error).toEqual({ type: 'invalid_request_error', message: expect.stringMatching(/\S/) });
  });
});

describe('a body nested so deeply that it would crash the engine is rejected', () => {
  const deep = `${'{"type":"object","properties":{"a":'.repeat(20_000)}{}${'}}'.repeat(20_000)}`;
  it.each([
    ['a schema', `"response_format":{"type":"json_schema","json_schema":{"schema":${deep}}}`],
    ['a tool', `"tools":[{"type":"function","function":{"name":"f","parameters":${deep}}}]`],
    ['an unknown field', `"unknown":${nested(100_000)}`],
  ])('%s', async (_, field) => {
    const { status, error } = await post('/v1/chat/completions', `{"messages":[],${field}}`);
    expect(status).toBe(400);
    expect(error.code).toBe('invalid_json');
    expect(error.message).toContain('deep');
  });
});

it('an odd but valid body is served', async () => {
  const odd = [
    '{"messages":[{"role":"user","content":"first"}],"messages":[{"role":"user","content":"hello"}],"max_tokens":2}',
    JSON.stringify({ ...chat({}), __proto__: undefined, 'a b': { constructor: 1 } }),
    '{"messages":[{"role":"user","content":"hello"}],"max_tokens":2,"__proto__":{"stream":true}}',
    JSON.stringify(chat({ messages: [{ role: 'user', content: 'NUL \0 and \u2028' }] })),
    JSON.stringify(chat({ seed: 1e30, unknown: 1e21 })),
    JSON.stringify(chat({ x: JSON.parse(nested(100)), text: '[[[{{{'.repeat(1000) })),
    `  ${JSON.stringify(chat({}))}\r\n`,
  ];
  for (const body of odd) expect((await post('/v1/chat/completions', body)).status).toBe(200);
});

describe('an object is served whatever white space it contains, streamed or not', () => {
  const more = { max_tokens: 40, max_output_tokens: 40 };
  const bodies = {
    '/v1/chat/completions': { messages: hello, ...more },
    '/v1/completions': { prompt: 'hello', ...more },
    '/v1/messages': { messages: hello, ...more },
    '/v1/responses': { input: 'hello', ...more },
  };
  const blanks = [
    ' '.repeat(62),
    ' '.repeat(63),
    ' '.repeat(64),
    ' '.repeat(70),
    '\t'.repeat(70),
    '\r\n'.repeat(5000),
  ];
  it.each(Object.entries(bodies))('%s', async (path, fields) => {
    for (const blank of blanks) {
      for (const stream of [[], ['"stream":true,']]) {
        const members = JSON.stringify(fields).slice(1, -1);
        const body = `${blank}{${blank}${stream.join('')}${members}${blank}}${blank}`;
        await using client = await RawClient.connect(corral.port);
        client
          .send(postOf('', { path }).replace('Content-Length: 0', `Content-Length: ${body.length}`))
          .send(body);
        expect((await client.response())?.status).toBe(200);
      }
    }
  });
});

it('neither errors nor the log contain the body', () => {
  expect(JSON.stringify(corral.logged)).not.toContain('hello');
});
