import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { ResponseAggregator } from '../../../gateway/api/responses/response-object.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';

let demo: Demo;
let engine: Client;
beforeAll(async () => {
  demo = await startDemo({ env: { SHORT_ANSWER_TOKENS: '0' } });
  const { origin, socketPath } = demo.engine.backend.address;
  engine = new Client(origin, socketPath === undefined ? {} : { socketPath });
});
afterAll(async () => {
  await engine.close();
  await demo.stop();
});

interface ResponseJson {
  readonly status: number;
  readonly json: unknown;
}

/** The engine's own JSON response. */
async function fromEngine(path: string, body: object): Promise<ResponseJson> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${demo.engine.apiKey}` };
  // The engine may close an idle connection just as the next request is sent.
  const response = await engine.request({
    ...{ method: 'POST', path, headers, body: JSON.stringify(body) },
    reset: true,
  });
  return { status: response.statusCode, json: await response.body.json() };
}

async function eventsFromEngine(path: string, body: object): Promise<unknown[]> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${demo.engine.apiKey}` };
  const params = JSON.stringify({ ...body, stream: true });
  const response = await engine.request({ method: 'POST', path, headers, body: params, reset: true });
  const text = await response.body.text();
  return [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json));
}

async function throughGateway(
  path: string,
  body: object,
): Promise<ResponseJson & { readonly headers: Headers }> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${demo.apiKey}` };
  const response = await fetch(`${demo.corral.origin}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json(), headers: response.headers };
}

const madeUp = new Set(['id', 'call_id', 'created', 'created_at', 'completed_at']);
const measured = /^(?:prompt|predicted)_(?:ms|per_\w+)$/;

/** The same response without values that differ from request to request; every member is still there. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      (madeUp.has(name) && typeof inner !== 'object') || measured.test(name)
        ? typeof inner
        : comparable(inner),
    ]),
  );
}

/** The cache cannot be turned off on /v1/messages, so the counts of read and cached tokens are added. */
function inputTogether(message: unknown): unknown {
  const { usage, ...rest } = message as { usage: Record<string, number>; stop_sequence?: string | null };
  const { cache_read_input_tokens: cached = 0, input_tokens: read = 0, ...others } = usage;
  // Corrected by the gateway in a JSON response as well: the engine reports the end of the turn.
  const reason = rest.stop_sequence ? { stop_reason: 'stop_sequence' } : {};
  return { ...rest, ...reason, usage: { ...others, input: cached + read } };
}

/** As in Anthropic's API, but not in llama-server's: without the beginning that the request contains. */
function withoutBeginning(message: unknown): unknown {
  const { content, ...rest } = message as { content: { type: string; text: string }[] };
  const blocks = content.map(({ text, ...block }) => ({
    ...block,
    text: text?.replace(/^Open the\n*( ?base URL)?/, ''),
  }));
  return { ...rest, content: blocks.filter(({ text }) => text !== '') };
}

const user = (content: unknown) => [{ role: 'user', content }];
const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
  required: ['city'],
};
const tools = [{ type: 'function', function: { name: 'weather_in', parameters: schema } }];
const jsonSchema = { type: 'json_schema', json_schema: { name: 'city', schema } };
const prefix = (content: unknown) => [...user('dashboard'), { role: 'assistant', content }];

const chats: Record<string, object> = {
  plain: { messages: user('keys') },
  'a list of parts': { messages: user([{ type: 'text', text: 'keys' }]) },
  'the one with stream: false': { messages: user('keys'), stream: false, max_tokens: 3 },
  'the one that says how it would want a stream': {
    messages: user('keys'),
    stream: null,
    stream_options: { include_usage: false },
    max_tokens: 3,
  },
  'one token': { messages: user('keys'), max_tokens: 1 },
  max_completion_tokens: { messages: user('limits'), max_completion_tokens: 7 },
  stop: { messages: user('keys'), stop: ['has one', 'nothing like it'] },
  'stop at once': { messages: user('keys'), stop: 'Everyone' },
  'many bytes': { messages: user('emoji') },
  'many bytes, cut': { messages: user('emoji'), max_tokens: 11 },
  thought: { messages: user('thinking') },
  'thought, cut': { messages: user('thinking'), max_tokens: 5 },
  'thought kept in the text': { messages: user('thinking'), reasoning_format: 'none' },
  tools: { messages: user('What is the weather like?'), tools, tool_choice: 'required', max_tokens: 200 },
  'tools, cut in the arguments': { messages: user('keys'), tools, tool_choice: 'required', max_tokens: 100 },
  'tools, none called': { messages: user('keys'), tools, max_tokens: 200 },
  'tools, several at once': {
    messages: user('weather'),
    tools,
    tool_choice: 'required',
    parallel_tool_calls: true,
    max_tokens: 200,
  },
  'json schema': { messages: user('Where?'), response_format: jsonSchema, max_tokens: 100 },
  'json schema, cut': { messages: user('Where?'), response_format: jsonSchema, max_tokens: 3 },
  logprobs: { messages: user('keys'), logprobs: true, top_logprobs: 3, max_tokens: 20 },
  'logprobs of many bytes': { messages: user('emoji'), logprobs: true, top_logprobs: 1, max_tokens: 40 },
  'two choices': { messages: user('survival'), n: 2 },
  'two choices with logprobs': {
    messages: user('keys'),
    n: 2,
    logprobs: true,
    top_logprobs: 1,
    max_tokens: 5,
  },
  'signs of progress': {
    messages: user('keys'),
    return_progress: true,
    timings_per_token: true,
    max_tokens: 3,
  },
  'more than a stream contains': { messages: user('keys'), verbose: true, max_tokens: 2, seed: 7 },
  'a beginning to go on from': { messages: prefix('Open the base URL'), max_tokens: 9 },
  'a beginning in a part': { messages: prefix([{ type: 'text', text: 'Open the base URL' }]), max_tokens: 3 },
  'a beginning in parts': {
    messages: prefix(['Open the', 'base URL'].map((text) => ({ type: 'text', text }))),
    max_tokens: 3,
  },
  'an empty beginning': { messages: prefix(''), max_tokens: 3 },
  'no beginning': { messages: prefix(null), max_tokens: 3 },
  'a beginning with white space around it': { messages: prefix('\n Open the base URL \n\n'), max_tokens: 3 },
  'a beginning of many bytes': { messages: prefix('🙂 é'), max_tokens: 3 },
  'a beginning like a mark': { messages: prefix('<think>Open'), max_tokens: 3 },
  'a beginning of another story': {
    messages: [...user('thinking'), { role: 'assistant', content: 'Open' }],
    max_tokens: 200,
  },
  'a beginning with a thought': {
    messages: [...user('keys'), { role: 'assistant', content: 'Open', reasoning_content: 'Hm.' }],
    max_tokens: 3,
  },
  'a beginning that is all': { messages: prefix(storyText('dashboard')), max_tokens: 200 },
  'a beginning for two': { messages: prefix('Open the base URL'), n: 2, max_tokens: 3 },
  'a beginning with logprobs': {
    messages: prefix('Open the base URL'),
    logprobs: true,
    top_logprobs: 1,
    max_tokens: 3,
  },
  'a beginning and a stop': { messages: prefix('Open the base URL'), stop: ['browser'], max_tokens: 9 },
  'a beginning with tools': { messages: prefix('Open the base URL'), tools, max_tokens: 9 },
  'a beginning of JSON': {
    messages: [...user('Where?'), { role: 'assistant', content: '{"city":' }],
    response_format: jsonSchema,
    max_tokens: 20,
  },
  'a thousand tokens': { messages: user('long story'), max_tokens: 1000 },
};

const asPrompt = (params: string) => `<|user|>${params}<|end|><|assistant|>`;
const completions: Record<string, object> = {
  plain: { prompt: asPrompt('limits'), max_tokens: 200 },
  'several prompts of different lengths': { prompt: ['thinking', 'keys'].map(asPrompt), max_tokens: 300 },
  'tokens for a prompt': { prompt: [1, 452, 453], max_tokens: 4 },
  logprobs: { prompt: asPrompt('keys'), logprobs: 2, max_tokens: 12 },
  'logprobs of two': { prompt: ['keys', 'emoji'].map(asPrompt), logprobs: 1, max_tokens: 12 },
  stop: { prompt: asPrompt('limits'), max_tokens: 200, stop: ['Others wait'] },
  'several choices': { prompt: asPrompt('keys'), n: 2, max_tokens: 4 },
};

const anthropicTools = [{ name: 'weather_in', input_schema: schema }];
const messages: Record<string, object> = {
  plain: { messages: user('keys'), max_tokens: 200 },
  cut: { messages: user('emoji'), max_tokens: 12 },
  thought: { messages: user('thinking'), max_tokens: 200 },
  'thought, cut': { messages: user('thinking'), max_tokens: 4 },
  system: { system: 'Be brief.', messages: user('keys'), max_tokens: 20 },
  tools: { messages: user('weather'), tools: anthropicTools, tool_choice: { type: 'any' }, max_tokens: 200 },
  'tools, cut': {
    messages: user('keys'),
    tools: anthropicTools,
    tool_choice: { type: 'any' },
    max_tokens: 100,
  },
  'a stop sequence': { messages: user('keys'), stop_sequences: ['of their own'], max_tokens: 50 },
};

const continued: Record<string, object> = {
  'a beginning to go on from': { messages: prefix('Open the base URL'), max_tokens: 3 },
  'a beginning in a block': {
    messages: prefix([{ type: 'text', text: 'Open the base URL' }]),
    max_tokens: 3,
  },
  'a beginning in blocks': {
    messages: prefix(['Open the', 'base URL'].map((text) => ({ type: 'text', text }))),
    max_tokens: 3,
  },
  'a beginning, cut at once': { messages: prefix('Open the base URL'), max_tokens: 1 },
  'a beginning with tools': { messages: prefix('Open the base URL'), tools: anthropicTools, max_tokens: 9 },
};

const rejected: Record<string, readonly [string, object]> = {
  'a prompt that does not fit': ['/v1/chat/completions', { messages: user('horse '.repeat(9000)) }],
  'logprobs that were not asked for': ['/v1/chat/completions', { messages: user('x'), top_logprobs: 2 }],
  'an unknown format': ['/v1/chat/completions', { messages: user('x'), response_format: { type: 'nope' } }],
  'a prompt of the wrong type': ['/v1/completions', { prompt: 5 }],
  'no prompt': ['/v1/completions', {}],
  'a message that does not fit': ['/v1/messages', { messages: user('horse '.repeat(9000)), max_tokens: 2 }],
  'an input that does not fit': ['/v1/responses', { input: 'horse '.repeat(9000) }],
};

/** Makes results independent of earlier requests. */
const settled = { temperature: 0, cache_prompt: false };

async function expectSameResponse(
  path: string,
  fields: object,
  view = (json: unknown) => json,
): Promise<void> {
  const body = { ...settled, ...fields };
  const engineResponse = await fromEngine(path, body);
  const actual = await throughGateway(path, body);
  expect(engineResponse.status).toBe(200);
  expect(actual.status).toBe(200);
  expect(actual.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(actual.headers.get('content-length')).toMatch(/^\d+$/);
  expect(comparable(view(actual.json))).toEqual(comparable(view(engineResponse.json)));
}

describe('/v1/chat/completions', () => {
  it.each(Object.entries(chats))('%s', (_, body) => expectSameResponse('/v1/chat/completions', body));

  it('stop and logprobs, which the engine loses in its JSON but not in its stream', async () => {
    const body = { messages: user('keys'), stop: ['has one'], logprobs: true, top_logprobs: 1 };
    const engineResponse = (await fromEngine('/v1/chat/completions', body)).json as { choices: object[] };
    const actual = (await throughGateway('/v1/chat/completions', body)).json as { choices: object[] };
    const [{ logprobs, ...choice }] = actual.choices as [{ logprobs: { content: { token: string }[] } }];
    expect(logprobs.content.slice(0, 3).map(({ token }) => token)).toEqual([
      'Everyone',
      ' who calls',
      ' this endpoint',
    ]);
    expect(choice).toEqual(engineResponse.choices[0]);
  });
});

describe('/v1/completions', () => {
  it.each(Object.entries(completions))('%s', (_, body) => expectSameResponse('/v1/completions', body));

  it('more prompts than slots: the usage covers all of them, where the engine gives that of the first', async () => {
    const prompt = ['keys', 'limits', 'streams'].map(asPrompt);
    const body = { ...settled, prompt, max_tokens: 30 };
    const engineResponse = (await fromEngine('/v1/completions', body)).json as Completion;
    const actual = (await throughGateway('/v1/completions', body)).json as Completion;
    expect(comparable(actual.choices)).toEqual(comparable(engineResponse.choices));
    expect(engineResponse.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 30 });
    expect(actual.usage).toMatchObject({ prompt_tokens: 18, completion_tokens: 90, total_tokens: 108 });
  });
});

interface Completion {
  readonly choices: readonly object[];
  readonly usage: object;
}

describe('/v1/messages', () => {
  it.each(Object.entries(messages))('%s', (_, body) =>
    expectSameResponse('/v1/messages', body, inputTogether),
  );

  it.each(Object.entries(continued))('%s is not repeated', async (_, fields) => {
    const body = { ...settled, ...fields };
    const engineResponse = await fromEngine('/v1/messages', body);
    const actual = await throughGateway('/v1/messages', body);
    expect([engineResponse.status, actual.status]).toEqual([200, 200]);
    expect(comparable(inputTogether(actual.json))).toEqual(
      comparable(withoutBeginning(inputTogether(engineResponse.json))),
    );
  });
});

const responses: Record<string, object> = {
  plain: { input: 'keys' },
  cut: { input: 'emoji', max_output_tokens: 12 },
  thought: { input: 'thinking' },
  tools: {
    input: 'weather',
    tools: [{ type: 'function', name: 'weather_in', parameters: schema }],
    tool_choice: 'required',
  },
  'a beginning to go on from': {
    input: [
      ...user('dashboard'),
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Open the base URL' }] },
    ],
    max_output_tokens: 3,
  },
};

describe('/v1/responses, before it is rewritten', () => {
  it.each(Object.entries(responses))('%s', async (_, fields) => {
    const body = { ...settled, ...fields };
    const engineResponse = await fromEngine('/v1/responses', body);
    const assembly = new ResponseAggregator();
    for (const event of await eventsFromEngine('/v1/responses', body)) assembly.add(event);
    expect(comparable(assembly.result())).toEqual(comparable(engineResponse.json));
  });

  it('the client gets one JSON object', async () => {
    const { status, json } = await throughGateway('/v1/responses', { input: 'keys' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: storyText('keys') }] }],
    });
  });
});

describe('an error is the one of a request without streaming', () => {
  it.each(Object.entries(rejected))('%s', async (_, [path, body]) => {
    const engineResponse = await fromEngine(path, body);
    const actual = await throughGateway(path, body);
    expect(engineResponse.status).toBeGreaterThanOrEqual(400);
    const { message } = (actual.json as { error: { message: string } }).error;
    const blocks = (engineResponse.json as { error: { message: string } }).error.message;
    const overflow = path === '/v1/messages' ? /^request \((\d+ tokens)\).*\((\d+) tokens\).*$/ : /^$/;
    const expected = blocks.replace(overflow, 'prompt is too long: $1 > $2 maximum');
    // Quotations of the request are removed.
    expect(message).toBe(expected.replace(/: nope$/, ' …'));
    expect(actual.status).toBeGreaterThanOrEqual(400);
    expect(actual.status).toBeLessThan(500);
  });
});
