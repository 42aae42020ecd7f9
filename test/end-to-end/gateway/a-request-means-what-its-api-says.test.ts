import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, startDemo } from '../../harness/start-demo.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { context: 8192 }, env: { MAX_REQUESTS_PER_MINUTE: '0' } });
});
afterAll(() => demo.stop());

async function post(path: string, body: object | string) {
  const response = await fetch(`${demo.corral.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : {},
  };
}

const user = { role: 'user', content: 'hi' };
const parameters = {
  type: 'object',
  properties: { x: { type: 'boolean' } },
  required: ['x'],
  additionalProperties: false,
};
const names = (list: string) => list.split(' ');

describe('a field that OpenAI allows to be null may be null', () => {
  const routes: [path: string, body: object, names: string[]][] = [
    [
      '/v1/chat/completions',
      { messages: [user], max_tokens: 1 },
      names(
        'audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options model reasoning_format chat_template_kwargs grammar json_schema top_k min_p',
      ),
    ],
    [
      '/v1/completions',
      { prompt: 'hi', max_tokens: 1 },
      names(
        'best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream stream_options suffix temperature top_p user model',
      ),
    ],
    [
      '/v1/messages',
      { messages: [user] },
      names(
        'cache_control container context_management inference_geo mcp_servers metadata model output_config output_format service_tier speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p',
      ),
    ],
    [
      '/v1/responses',
      { input: 'hi', max_output_tokens: 1 },
      names(
        'background context_management conversation include instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user',
      ),
    ],
  ];
  it.each(routes)('%s', async (path, body, fields) => {
    const all = await Promise.all(
      fields.map(async (name) => {
        const { status, text } = await post(path, { max_tokens: 1, ...body, [name]: null, n_predict: 1 });
        return status === 200 ? undefined : `${name}: ${text}`;
      }),
    );
    expect(all.filter((fault) => fault !== undefined)).toEqual([]);
  });

  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const tool = { role: 'tool', tool_call_id: 'a', content: 'x' };
  const request = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
  const functionOutput = { type: 'function_call_output', call_id: 'a', output: 'x' };
  const inside: [path: string, parts: string[], (nulls: object) => object][] = [
    [
      '/v1/chat/completions',
      names('description parameters strict'),
      (nulls) => ({
        messages: [user],
        tools: [{ type: 'function', function: { name: 'f', parameters, ...nulls } }],
      }),
    ],
    [
      '/v1/chat/completions',
      names('name refusal audio tool_calls function_call annotations reasoning_content'),
      (nulls) => ({ messages: [user, { role: 'assistant', content: 'x', ...nulls }, user] }),
    ],
    [
      '/v1/chat/completions',
      names('name content refusal audio function_call reasoning_content'),
      (nulls) => ({
        messages: [user, { role: 'assistant', content: 'x', tool_calls: [call], ...nulls }, tool],
      }),
    ],
    ['/v1/chat/completions', names('name'), (nulls) => ({ messages: [{ ...user, ...nulls }] })],
    [
      '/v1/chat/completions',
      names('name tool_call_id'),
      (nulls) => ({ messages: [user, { role: 'assistant', tool_calls: [call] }, { ...tool, ...nulls }] }),
    ],
    [
      '/v1/responses',
      names('description parameters strict'),
      (nulls) => ({ input: 'hi', tools: [{ type: 'function', name: 'f', parameters, ...nulls }] }),
    ],
    [
      '/v1/responses',
      names('id status phase type name content'),
      (nulls) => ({ input: [user, { type: 'message', role: 'assistant', content: 'x', ...nulls }, user] }),
    ],
    [
      '/v1/responses',
      names('id status phase type name'),
      (nulls) => ({ input: [{ type: 'message', ...user, ...nulls }] }),
    ],
    [
      '/v1/responses',
      names('id status namespace caller arguments'),
      (nulls) => ({ input: [user, { ...request, ...nulls }, functionOutput] }),
    ],
    [
      '/v1/responses',
      names('id status output'),
      (nulls) => ({ input: [user, request, { ...functionOutput, ...nulls }] }),
    ],
    [
      '/v1/responses',
      names('content summary encrypted_content status id'),
      (nulls) => ({
        input: [
          user,
          {
            type: 'reasoning',
            id: 'r',
            summary: [],
            content: [{ type: 'reasoning_text', text: 't' }],
            ...nulls,
          },
          user,
        ],
      }),
    ],
    [
      '/v1/messages',
      names('description cache_control strict type'),
      (nulls) => ({
        max_tokens: 1,
        messages: [user],
        tools: [{ name: 'f', input_schema: parameters, ...nulls }],
      }),
    ],
    [
      '/v1/messages',
      names('cache_control caller input'),
      (nulls) => ({
        max_tokens: 1,
        messages: [
          user,
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {}, ...nulls }] },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 'a', is_error: null, cache_control: null }],
          },
        ],
      }),
    ],
    ['/v1/responses', names('effort summary'), (nulls) => ({ input: 'hi', reasoning: nulls })],
    ['/v1/responses', names('format verbosity'), (nulls) => ({ input: 'hi', text: nulls })],
  ];
  it.each(inside)('within %s: %s', async (path, parts, body) => {
    for (const name of parts) {
      const { status, text } = await post(path, { ...body({ [name]: null }), n_predict: 1 });
      expect([name, status, text.slice(0, 200)]).toEqual([name, 200, expect.anything()]);
    }
  });
});

describe('a Responses conversation continues', () => {
  const turns: Record<string, object[]> = {
    'with an assistant that has no type': [{ role: 'assistant', content: 'hello' }],
    'with the parts of a response without their types': [
      {
        role: 'assistant',
        id: 'msg_1',
        status: 'completed',
        content: [{ text: 'hello', annotations: [], logprobs: [] }],
      },
    ],
    'with a refusal': [
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'hello' }] },
    ],
    'with a thought of another model': [
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
      { role: 'assistant', content: 'hello' },
    ],
  };
  it.each(Object.entries(turns))('%s', async (_, turn) => {
    const plain = { type: 'message', role: 'assistant', content: 'hello' };
    const send = async (path: string, items: object[]) =>
      await post(path, { input: [user, ...items, user], max_output_tokens: 3 });
    const counted = await send('/v1/responses/input_tokens', turn);
    const expected = await send('/v1/responses/input_tokens', [plain]);
    expect([counted.status, counted.body.input_tokens]).toEqual([200, expected.body.input_tokens]);
    expect(await send('/v1/responses', turn)).toMatchObject({ status: 200, body: { object: 'response' } });
  });

  it('and an unsupported item is an error', async () => {
    const { status, body } = await post('/v1/responses', {
      input: [user, { type: 'item_reference', id: 'msg_1' }],
    });
    expect([status, body.error.param]).toEqual([400, 'input[1]']);
    const stored = await post('/v1/responses', { input: 'and?', previous_response_id: 'resp_1' });
    expect(stored.body.error).toMatchObject({ code: 'store_disabled', param: 'previous_response_id' });
  });
});

describe('half a character does not break a conversation', () => {
  const cut = String.raw`cut \ud83d`;
  it.each([
    [
      '/v1/chat/completions',
      `{"n_predict":1,"user":"${cut}","messages":[{"role":"user","content":"${cut}"}]}`,
    ],
    ['/v1/completions', `{"n_predict":1,"model":"${cut}","prompt":"${cut}"}`],
    ['/v1/responses', `{"n_predict":1,"input":"${cut}","metadata":{"${cut}":"${cut}"}}`],
    ['/v1/messages', `{"max_tokens":1,"messages":[{"role":"user","content":"${cut}"}]}`],
    ['/v1/messages/count_tokens', `{"messages":[{"role":"user","content":"${cut}"}]}`],
  ])('on %s', async (path, body) => {
    expect((await post(path, body)).status).toBe(200);
  });
});

describe('a damaged tool call does not break a conversation', () => {
  const damaged = [
    '{"x": "unfin',
    '',
    'ls -la',
    '[1]',
    String.raw`{"x":"\ud83d"}`,
    '{"x":1',
    '{"x":1}}',
    'null',
  ];
  it.each(damaged)('%s', async (damage) => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: damage } };
    const chat = await post('/v1/chat/completions', {
      messages: [
        user,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'a', content: 'x' },
      ],
      max_tokens: 1,
    });
    expect([chat.status, chat.headers.get('x-corral-repaired')]).toEqual([200, '1']);
    const response = await post('/v1/responses', {
      input: [
        user,
        { type: 'function_call', call_id: 'a', name: 'f', arguments: damage },
        { type: 'function_call_output', call_id: 'a', output: 'x' },
      ],
      max_output_tokens: 1,
    });
    expect([response.status, response.headers.get('x-corral-repaired')]).toEqual([200, '1']);
  });
});
