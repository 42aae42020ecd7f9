import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { stories, storyText } from '../../../cli/demo-model/stories.ts';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { chatTextIn, requestEvents } from '../../harness/request-events.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { withLine } from '../../harness/with-line.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let wire: CuttingBackend;
let corral: TestGateway;

beforeAll(async () => {
  llama = await startLlamaServer({ slots: 4 });
  wire = await startCuttingBackend(llama);
  corral = await startTestGateway({ backend: wire.backend, env: { MAX_REPLAYS: '1' } });
});
afterAll(async () => {
  await corral.stop();
  await wire.stop();
  await llama.stop();
});
beforeEach(() => {
  wire.cuts = [];
});

const chat = '/v1/chat/completions';
const bodyOf = (topic: string, fields = {}) => ({ messages: [{ role: 'user', content: topic }], ...fields });
const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
];

/** A text that it allows is too long to end before the break. */
const longWord = {
  type: 'object',
  properties: { word: { type: 'string', minLength: 100 } },
  required: ['word'],
};

const thinking = stories.find(({ topic }) => topic === 'thinking');

it('a chat continues after finished reasoning, which is given back to the engine', async () => {
  wire.cuts = [30];
  const { events } = await requestEvents(
    corral.port,
    chat,
    bodyOf('thinking', { stream_options: { include_usage: true } }),
  );
  expect(chatTextIn(events, 'reasoning_content')).toBe(thinking?.thought);
  expect(chatTextIn(events)).toBe(thinking?.text);
  expect(events.at(-1)?.usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 51, total_tokens: 59 });
});

it('a JSON schema holds across the break', async () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, s: { enum: ['red', 'green'] } },
    required: ['n', 's'],
    additionalProperties: false,
  };
  for (let cutAfter = 1; cutAfter < 12; cutAfter++) {
    wire.cuts = [cutAfter];
    const fields = { response_format: { type: 'json_schema', json_schema: { schema } }, max_tokens: 40 };
    const text = chatTextIn((await requestEvents(corral.port, chat, bodyOf('limits', fields))).events);
    expect(JSON.parse(text), `cut after ${cutAfter} events`).toEqual({
      n: expect.any(Number),
      s: expect.stringMatching(/^(red|green)$/),
    });
  }
});

it('a stream with a prefill of the client continues after both texts', async () => {
  const beginning = 'The engine answers as many requests';
  for (const content of [beginning, [{ type: 'text', text: beginning }]]) {
    wire.cuts = [5, 5];
    const messages = [
      { role: 'user', content: 'limits' },
      { role: 'assistant', content },
    ];
    const { events } = await requestEvents(corral.port, chat, { messages });
    expect(beginning + chatTextIn(events)).toBe(storyText('limits'));
  }
});

it.each([
  ['of text', '<|user|>limits<|end|><|assistant|>'],
  ['of one text in a list', ['<|user|>limits<|end|><|assistant|>']],
])('a completion with a prompt %s continues', async (_, prompt) => {
  wire.cuts = [5, 5];
  const { events } = await requestEvents(corral.port, '/v1/completions', { prompt });
  const text = events.map(({ choices }) => (choices as { text: string }[])[0]?.text).join('');
  expect(text).toBe(storyText('limits'));
});

it('a stream with tools that are offered and not called continues', async () => {
  wire.cuts = [5, 5];
  const { events } = await requestEvents(corral.port, chat, bodyOf('limits', { tools }));
  expect(chatTextIn(events)).toBe(storyText('limits'));
});

it('a stream without generated text is sent again, whatever it requests', async () => {
  wire.cuts = [1];
  const { events } = await requestEvents(
    corral.port,
    chat,
    bodyOf('limits', { n: 2, logprobs: true, max_tokens: 4 }),
  );
  const indices = events.flatMap(({ choices }) => (choices as { index: number }[]).map(({ index }) => index));
  expect(new Set(indices)).toEqual(new Set([0, 1]));
  expect(events.filter(({ error }) => error)).toEqual([]);
});

it.each<[string, string, object, number]>([
  ['unfinished reasoning', chat, bodyOf('thinking'), 5],
  ['several choices', chat, bodyOf('limits', { n: 2 }), 9],
  ['log-probabilities', chat, bodyOf('limits', { logprobs: true }), 5],
  [
    'an unfinished tool call',
    chat,
    bodyOf('limits', { tools, tool_choice: 'required', max_tokens: 200 }),
    58,
  ],
  ['a grammar', chat, bodyOf('limits', { grammar: 'root ::= [a-z]{200}' }), 5],
  ['reasoning that has only been announced', '/v1/responses', { input: 'thinking' }, 3],
  ['a schema of a completion', '/v1/completions', { prompt: 'limits', json_schema: longWord }, 3],
])('a stream with %s ends with an error that gives the reason', async (_, path, body, cutAfter) => {
  wire.cuts = [cutAfter];
  const { events, text } = await requestEvents(corral.port, path, { max_tokens: 60, ...body });
  const { error = events.at(-1) } = events.at(-1) as { error?: object };
  expect(error).toMatchObject({
    message: expect.stringMatching(/failed in the middle of this response, which cannot be continued: \w+/),
    param: null,
    code: 'bad_gateway',
  });
  expect(text).not.toContain('[DONE]');
});

it('a tool call after some text is complete although the stream broke in the text', async () => {
  wire.cuts = [9];
  const body = bodyOf('limits', { tools, tool_choice: 'required', max_tokens: 400 });
  const { events } = await requestEvents(corral.port, chat, body);
  expect(chatTextIn(events)).toBe(storyText('limits'));
  const calls = JSON.stringify(events).match(/"name":"get_weather"/g);
  expect(calls).toHaveLength(1);
  expect(JSON.stringify(events)).toContain('"finish_reason":"tool_calls"');
});

it.each<[string, object, RegExp]>([
  [
    '/v1/messages',
    {
      ...bodyOf('limits'),
      tools: [
        { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } },
      ],
      tool_choice: { type: 'any' },
    },
    /"content_block":\{"type":"tool_use".*?"name":"get_weather"/g,
  ],
  [
    '/v1/responses',
    {
      input: 'limits',
      tools: tools.map(({ function: it }) => ({ type: 'function', ...it })),
      tool_choice: 'required',
    },
    /^data: \{"type":"response.output_item.added".*"name":"get_weather"/gm,
  ],
])(
  '%s: a tool call after some text is announced once although the stream broke in the text',
  async (path, body, call) => {
    const complete = await requestEvents(corral.port, path, { max_tokens: 400, ...body });
    expect(complete.text.match(call)).toHaveLength(1);
    wire.cuts = [9];
    const [cut, line] = await withLine(corral, () =>
      requestEvents(corral.port, path, { max_tokens: 400, ...body }),
    );
    expect(cut.text.match(call)).toHaveLength(1);
    expect(cut.events.map(({ type }) => type)).toEqual(complete.events.map(({ type }) => type));
    expect(line).toMatchObject({ status: 200, continued: 1 });
  },
);

interface JsonCompletion {
  readonly choices: { message: { content: string; tool_calls?: { function: { arguments: string } }[] } }[];
}

async function requestJson(body: object): Promise<JsonCompletion> {
  const response = await fetch(`${corral.origin}${chat}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as JsonCompletion;
}

it('a JSON response continues under its JSON schema', async () => {
  const schema = {
    type: 'object',
    properties: { word: { type: 'string', maxLength: 60 } },
    required: ['word'],
  };
  wire.cuts = [6, 6];
  const format = { type: 'json_schema', json_schema: { schema } };
  const body = bodyOf('limits', { response_format: format, max_tokens: 200 });
  const [{ choices }, line] = await withLine(corral, () => requestJson(body));
  expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ word: expect.any(String) });
  expect(line).toMatchObject({ continued: 2 });
});

it.each<[string, object, number]>([
  ['a tool call', { tools, tool_choice: 'required', max_tokens: 200 }, 58],
  ['several choices', { n: 2, max_tokens: 60 }, 9],
  ['log-probabilities', { logprobs: true, max_tokens: 60 }, 5],
  ['a grammar', { grammar: 'root ::= "a" [b-z]{40}', max_tokens: 60 }, 5],
])('a JSON response with %s is generated again from the start', async (_, fields, cutAfter) => {
  wire.cuts = [cutAfter];
  const [{ choices }, line] = await withLine(corral, () => requestJson(bodyOf('limits', fields)));
  const [{ message } = { message: { content: '' } }] = choices;
  const call = message.tool_calls?.[0];
  if (call) expect(JSON.parse(call.function.arguments)).toBeTypeOf('object');
  else expect(message.content).toMatch(/^(?:The engine answers as many requests together|a[b-z]{40}$)/);
  expect(choices).toHaveLength('n' in fields ? 2 : 1);
  expect(line).toMatchObject({ status: 200, retries: 1 });
  expect(line).not.toHaveProperty('continued');
});

it.each<[string, string, object]>([
  [
    'an `include` of something else',
    '/v1/responses',
    { input: 'limits', include: ['reasoning.encrypted_content'] },
  ],
  ['log-probabilities turned off', chat, bodyOf('limits', { logprobs: false, top_logprobs: null })],
  [
    'zero log-probabilities',
    '/v1/completions',
    { prompt: '<|user|>limits<|end|><|assistant|>', logprobs: 0 },
  ],
  ['a schema by its other name', chat, bodyOf('limits', { json_schema: longWord, max_tokens: 400 })],
  ['an empty grammar', chat, bodyOf('limits', { grammar: '' })],
  ['a field that /v1/messages does not read', '/v1/messages', bodyOf('limits', { n: 2, logprobs: true })],
])('a stream with %s continues', async (_, path, body) => {
  wire.cuts = [9, 5];
  const [{ text }, line] = await withLine(corral, () => requestEvents(corral.port, path, body));
  expect(text).not.toMatch(/^(?:event: error|data: \{"error")/m);
  expect(line).toMatchObject({ status: 200, continued: 2 });
});

it('no lease is left behind', () => gatewayIsIdle(corral));
