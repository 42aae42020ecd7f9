import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors/api-error.ts';
import { type Api, normalizeRequest } from './normalize-request.ts';

const read = (api: Api, fields: object | string) => {
  const text = typeof fields === 'string' ? fields : JSON.stringify(fields);
  const body = Buffer.from(text);
  const normalized = normalizeRequest(api, JSON.parse(text), body);
  return { ...normalized, isSame: normalized.body === body, sent: JSON.parse(normalized.body.toString()) };
};
const getError = (api: Api, fields: object): ApiError => {
  try {
    read(api, fields);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was rejected');
};

const user = { role: 'user', content: 'hi' };
const parameters = { type: 'object', properties: {} };
const fn = (name: string, more: object = {}) => ({
  type: 'function',
  function: { name, parameters, ...more },
});
const flat = (name: string, more: object = {}) => ({ type: 'function', name, parameters, ...more });
const call = (id: string, args: unknown = '{}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
});
const output = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'x' });

describe('a body that llama-server reads correctly', () => {
  it.each<[Api, object]>([
    ['chat', { messages: [user], tools: [fn('a')], tool_choice: 'auto' }],
    [
      'chat',
      { messages: [user, { role: 'assistant', content: null, tool_calls: [call('1')] }, output('1')] },
    ],
    ['chat', { messages: [user, { role: 'assistant', tool_calls: [call('1', { a: 1 })] }, output('1')] }],
    [
      'chat',
      { messages: [user, { role: 'assistant', content: 'x', refusal: null, tool_calls: [call('1')] }] },
    ],
    ['chat', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], n: null, tools: null }],
    ['chat', { messages: ['odd', 5, null] }],
    ['completion', { prompt: 'x', best_of: 1, n: 1, echo: false, suffix: null }],
    ['responses', { input: 'x', store: true, background: false, conversation: null, top_logprobs: null }],
    ['responses', { input: [user, { type: 'message', role: 'assistant', content: 'x' }, user] }],
    ['responses', { input: [{ type: 'function_call', call_id: '1', name: 'f', arguments: '{}' }] }],
    [
      'responses',
      { input: [user], tools: [flat('a')], tool_choice: 'none', include: ['reasoning.encrypted_content'] },
    ],
    [
      'responses',
      {
        input: [
          { type: 'reasoning', id: 'r', summary: [], content: [{ type: 'reasoning_text', text: 't' }] },
        ],
      },
    ],
  ])('keeps its bytes: %s %j', (api, fields) => {
    expect(read(api, fields)).toMatchObject({ isSame: true, headers: {} });
  });
});

it('every number keeps its text, although other parts of the body change', () => {
  const numbers =
    '"seed":9223372036854775808,"a":1.0,"b":1e400,"c":-0,"d":[0.10,123456789012345678901234567890]';
  const text = `{"id_slot":1,${numbers},"messages":[{"role":"user","content":"1.0 and 1e400"}]}`;
  expect(read('chat', text).body.toString()).toBe(text.replace('"id_slot":1,', ''));
  const short = '{"id_slot":1,"seed":7,"messages":[]}';
  expect(read('chat', short).body.toString()).toBe('{"seed":7,"messages":[]}');
});

describe('a choice of tools by name', () => {
  const tools = [fn('a'), fn('b'), fn('c')];
  it.each([
    [{ type: 'function', function: { name: 'b' } }, ['b'], 'required', false],
    [{ type: 'function', name: 'b' }, ['b'], 'required', false],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [fn('a'), fn('c')] } },
      ['a', 'c'],
      'auto',
      undefined,
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [fn('a')] } },
      ['a'],
      'required',
      undefined,
    ],
    [{ type: 'allowed_tools', mode: 'required', tools: [flat('b')] }, ['b'], 'required', undefined],
  ])('is applied in a chat: %j', (tool_choice, names, mode, parallel) => {
    const { sent } = read('chat', { messages: [user], tools, tool_choice });
    expect(sent.tools.map((it: ReturnType<typeof fn>) => it.function.name)).toEqual(names);
    expect([sent.tool_choice, sent.parallel_tool_calls]).toEqual([mode, parallel]);
  });

  it.each([
    [{ type: 'function', name: 'b' }, ['b'], 'required'],
    [{ type: 'function', function: { name: 'b' } }, ['b'], 'required'],
    [{ type: 'allowed_tools', mode: 'auto', tools: [flat('a'), flat('b')] }, ['a', 'b'], 'auto'],
  ])('is applied in a Responses request: %j', (tool_choice, names, mode) => {
    const { sent } = read('responses', { input: 'x', tools: [flat('a'), flat('b')], tool_choice });
    expect(sent.tools.map((it: { name: string }) => it.name)).toEqual(names);
    expect(sent.tool_choice).toBe(mode);
  });

  it("keeps the client's own parallel_tool_calls", () => {
    const tool_choice = { type: 'function', function: { name: 'b' } };
    expect(
      read('chat', { messages: [user], tools, tool_choice, parallel_tool_calls: true }).sent,
    ).toMatchObject({
      parallel_tool_calls: true,
    });
  });

  it.each<[Api, object]>([
    ['chat', { messages: [], tools, tool_choice: { type: 'function', function: { name: 'z' } } }],
    ['chat', { messages: [], tool_choice: { type: 'function', function: { name: 'a' } } }],
    ['chat', { messages: [], tools: [], tool_choice: 'required' }],
    ['chat', { messages: [], tools, tool_choice: { type: 'web_search' } }],
    [
      'chat',
      { messages: [], tools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto' } } },
    ],
    ['responses', { input: 'x', tools: [flat('a')], tool_choice: { type: 'function', name: 'z' } }],
    ['responses', { input: 'x', tool_choice: 'required' }],
    ['responses', { input: 'x', tools: [{ type: 'web_search' }], tool_choice: 'required' }],
    ['responses', { input: 'x', tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } }],
    [
      'responses',
      { input: 'x', tools: [flat('a')], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } },
    ],
  ])('is rejected where no tool matches: %s %j', (api, fields) => {
    expect(getError(api, fields)).toMatchObject({
      status: 400,
      param: expect.stringMatching(/^tool_choice/),
    });
  });

  it('works with functions, the old name of tools', () => {
    const fields = {
      messages: [user],
      functions: [{ name: 'a' }, { name: 'b' }],
      function_call: { name: 'b' },
    };
    const { sent, responseConversion } = read('chat', fields);
    expect(sent).toEqual({
      messages: [user],
      tools: [{ type: 'function', function: { name: 'b' } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    expect(responseConversion).toBe('legacy function call');
    const { sent: free } = read('chat', { ...fields, function_call: 'auto' });
    expect(free).toMatchObject({ tools: [{}, {}], tool_choice: 'auto' });
    const missing = getError('chat', { ...fields, function_call: { name: 'z' } });
    expect(missing.param).toBe('function_call');
    expect(getError('chat', { ...fields, tools }).param).toBe('functions');
  });

  it('works with custom tools and tools of a namespace, which become functions', () => {
    const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
    const tools = [
      {
        type: 'namespace',
        name: 'fs',
        description: 'Files',
        tools: [flat('read'), { type: 'custom', name: 'write' }],
      },
      { type: 'custom', name: 'patch', description: 'Patches', format: grammar },
      flat('a'),
    ];
    const { sent, headers, toolAliases } = read('responses', { input: 'x', tools });
    expect(sent.tools).toMatchObject([
      { type: 'function', name: 'fs__read', parameters },
      { type: 'function', name: 'fs__write', parameters: { required: ['input'] } },
      { type: 'function', name: 'patch', description: 'Patches' },
      flat('a'),
    ]);
    expect(JSON.stringify(sent.tools[2].parameters)).toContain('lark');
    expect(headers).toEqual({});
    expect(
      [...(toolAliases ?? [])].map(([name, form]) => [name, form.type, form.name, form.namespace]),
    ).toEqual([
      ['fs__read', 'function', 'read', 'fs'],
      ['fs__write', 'custom', 'write', 'fs'],
      ['patch', 'custom', 'patch', undefined],
    ]);
    const chosen = read('responses', { input: 'x', tools, tool_choice: { type: 'custom', name: 'patch' } });
    expect(chosen.sent).toMatchObject({ tools: [{ name: 'patch' }], tool_choice: 'required' });
    const given = { type: 'function_call', call_id: '1', namespace: 'fs', name: 'read', arguments: '{}' };
    const output = { type: 'function_call_output', call_id: '1', output: 'x' };
    expect(read('responses', { input: [given, output] }).sent.input[0]).toEqual({
      type: 'function_call',
      call_id: '1',
      name: 'fs__read',
      arguments: '{}',
    });
  });

  it.each([
    ['chat', { type: 'auto' }, 'auto'],
    ['chat', { type: 'any' }, 'required'],
    ['chat', 'any', 'required'],
    ['responses', { type: 'none' }, 'none'],
    ['responses', { type: 'required' }, 'required'],
  ] as const)('accepts the values of other APIs: %s %j', (api, tool_choice, mode) => {
    const offered = api === 'chat' ? [fn('a')] : [flat('a')];
    expect(read(api, { messages: [], input: 'x', tools: offered, tool_choice }).sent.tool_choice).toBe(mode);
  });

  it('reports the tools of a Responses request that run elsewhere', () => {
    const tools = [
      { type: 'web_search' },
      flat('a'),
      { type: 'mcp' },
      { type: 'web_search' },
      { type: 'x\r\ny' },
    ];
    const { sent, headers } = read('responses', { input: 'x', tools });
    expect(sent.tools).toEqual([flat('a')]);
    expect(headers).toEqual({ 'x-corral-dropped-tools': 'web_search, mcp, x??y' });
  });
});

describe('nulls', () => {
  it.each<[Api, object, object]>([
    ['chat', { messages: [], tools: [fn('a', { description: null })] }, { messages: [], tools: [fn('a')] }],
    ['chat', { messages: [], reasoning_format: null }, { messages: [] }],
    ['chat', { messages: [{ ...user, name: null }] }, { messages: [user] }],
    [
      'chat',
      { messages: [{ role: 'assistant', content: 'x', tool_calls: null, reasoning_content: null }, user] },
      { messages: [{ role: 'assistant', content: 'x' }, user] },
    ],
    [
      'chat',
      { messages: [{ role: 'assistant', tool_calls: [{ ...call('1'), type: null }] }] },
      { messages: [{ role: 'assistant', tool_calls: [call('1')] }] },
    ],
    ['responses', { input: 'x', tools: null, instructions: null }, { input: 'x' }],
    [
      'responses',
      { input: 'x', tools: [flat('a', { description: null, strict: null })] },
      { input: 'x', tools: [flat('a')] },
    ],
    [
      'responses',
      { input: [{ type: null, role: 'assistant', content: null }, user] },
      { input: [{ type: 'message', role: 'assistant', content: [] }, user] },
    ],
  ])('are removed where llama-server fails on them: %s %j', (api, fields, sent) => {
    expect(read(api, fields).sent).toEqual(sent);
  });
});

describe('items of a Responses request', () => {
  const items: [item: object, read: object | undefined][] = [
    [
      { role: 'assistant', content: 'x' },
      { type: 'message', role: 'assistant', content: 'x' },
    ],
    [
      { role: 'assistant', id: 'm', status: 'completed', content: [{ text: 'x', annotations: [] }] },
      {
        role: 'assistant',
        id: 'm',
        status: 'completed',
        content: [{ text: 'x', annotations: [], type: 'output_text' }],
        type: 'message',
      },
    ],
    [
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'no' }] },
    ],
    [
      {
        role: 'user',
        content: [{ type: 'output_text', text: 'a' }, { type: 'text', text: 'b' }, { text: 'c' }],
      },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_text', text: 'b' },
          { type: 'input_text', text: 'c' },
        ],
      },
    ],
    [{ type: 'reasoning', id: 'r', summary: [], encrypted_content: 'gAAA' }, undefined],
    [{ type: 'reasoning', id: 'r', summary: [], content: null }, undefined],
    [{ type: 'reasoning', id: 'r', content: [] }, undefined],
    [
      { type: 'reasoning', id: 'r', summary: [{ type: 'summary_text', text: 's' }], content: null },
      { type: 'reasoning', id: 'r', summary: [], content: [{ type: 'reasoning_text', text: 's' }] },
    ],
    [
      { type: 'reasoning', summary: [], content: [{ text: 'a' }, { text: 'b' }] },
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'a\n\nb' }] },
    ],
  ];
  it.each(items)('%j', (item, expected) => {
    const { sent } = read('responses', { input: [user, item, user] });
    expect(sent.input).toEqual(expected === undefined ? [user, user] : [user, expected, user]);
  });

  it.each([
    [
      { type: 'custom_tool_call', call_id: '1', name: 'run', input: 'ls -la' },
      { type: 'custom_tool_call_output', call_id: '1', output: 'a' },
      { name: 'run', arguments: '{"input":"ls -la"}' },
      'a',
    ],
    [
      { type: 'local_shell_call', id: 'x', call_id: '1', action: { type: 'exec', command: ['ls'] } },
      { type: 'local_shell_call_output', id: '1', output: 'a' },
      { name: 'local_shell', arguments: '{"type":"exec","command":["ls"]}' },
      'a',
    ],
    [
      { type: 'apply_patch_call', call_id: '1', operation: { type: 'delete_file', path: 'a' } },
      { type: 'apply_patch_call_output', call_id: '1', status: 'completed' },
      { name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' },
      '""',
    ],
    [
      { type: 'function_call', id: '1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: [{ type: 'output_text', text: 'a' }] },
      { name: 'f', arguments: '{}' },
      [{ type: 'input_text', text: 'a' }],
    ],
    [
      { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: null },
      { name: 'f', arguments: '{}' },
      '',
    ],
  ])('converts a call to a function call: %j %j', (toolCall, given, function_call, output) => {
    const { sent, headers } = read('responses', { input: [user, toolCall, given] });
    expect(sent.input).toMatchObject([
      user,
      { type: 'function_call', call_id: '1', ...function_call },
      { type: 'function_call_output', call_id: '1', output: output },
    ]);
    expect(headers).toEqual({});
  });

  it.each([
    [{ type: 'item_reference', id: 'msg_1' }, /store: false/],
    [{ id: 'msg_1' }, /store: false/],
    [{ type: 'item_reference' }, /expected the id of an item/],
    [{ type: 'compaction', encrypted_content: 'gAAA' }, /compaction.*Send the items/],
    [{ type: 'additional_tools', tools: [] }, /Remove it/],
    [{ type: 'something_new' }, /Remove it/],
    [{}, /neither 'type' nor 'role'/],
    ['text', /expected an item/],
    [{ role: 'tool', content: 'x' }, /expected 'user', 'assistant'/],
    [{ role: 'user', content: null }, /expected a string, or a list of parts/],
    [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }, /is a file.*Send its text/],
    [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }, /data: URL/],
    [{ role: 'user', content: [{ type: 'input_audio' }] }, /'input_text'/],
    [{ type: 'function_call', call_id: '1', arguments: '{}' }, /the name of the function/],
    [{ type: 'function_call_output', output: 'x' }, /call_id/],
  ])('rejects %j and names the place, the reason and the fix', (item, message) => {
    const error = getError('responses', { input: [user, item] });
    expect(error.status).toBe(400);
    expect(error.param).toMatch(/^input\[1\]/);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(200);
  });
});

it("Claude Code's billing line is removed on every API", () => {
  const line = 'x-anthropic-billing-header: cc_version=2.1; cch=a5145;';
  const system = (content: unknown) => ({ role: 'system', content });
  const texts = (...list: string[]) => list.map((text) => ({ type: 'text', text }));
  const chat = (content: unknown) => read('chat', { messages: [system(content), user] }).sent.messages;
  expect(chat(`${line}\nBe kind.`)).toEqual([system('Be kind.'), user]);
  expect(chat(texts(line, 'Be kind.'))).toEqual([system(texts('Be kind.')), user]);
  expect(chat(line)).toEqual([user]);
  expect(read('chat', { messages: [user, system(line)] }).isSame).toBe(true);
  expect(read('chat', { messages: [{ role: 'system' }, user] }).isSame).toBe(true);
  expect(read('responses', { input: 'x', instructions: `${line}\nBe kind.` }).sent.instructions).toBe(
    'Be kind.',
  );
  expect(read('responses', { input: 'x', instructions: line }).sent).toEqual({ input: 'x' });
});

describe('an unsupported field', () => {
  it.each<[Api, object, string]>([
    ['responses', { previous_response_id: 'resp_1' }, 'store_disabled'],
    ['responses', { conversation: 'conv_1' }, 'store_disabled'],
    ['responses', { conversation: { id: 'conv_1' } }, 'store_disabled'],
    ['responses', { background: true }, 'store_disabled'],
    ['responses', { prompt: { id: 'pmpt_1' } }, 'invalid_value'],
    ['responses', { include: ['message.output_text.logprobs'] }, 'invalid_value'],
    ['responses', { top_logprobs: 3 }, 'invalid_value'],
    ['responses', { instructions: [user] }, 'invalid_value'],
    ['responses', { text: { format: { type: 'grammar' } } }, 'invalid_value'],
    ['chat', { modalities: ['text', 'audio'] }, 'invalid_value'],
    ['chat', { web_search_options: {} }, 'invalid_value'],
    ['chat', { tools: [{ type: 'custom', custom: { name: 'a' } }] }, 'invalid_value'],
    ['completion', { suffix: 'x' }, 'invalid_value'],
    ['completion', { echo: true }, 'invalid_value'],
    ['completion', { best_of: 3 }, 'invalid_value'],
  ])('is rejected by its name: %s %j', (api, fields, code) => {
    const error = getError(api, { input: 'x', messages: [], prompt: 'x', ...fields });
    expect(error).toMatchObject({ status: 400, code });
    expect(error.param).toMatch(new RegExp(`^${Object.keys(fields)[0]}`));
    expect(error.message.length).toBeLessThan(200);
  });

  it.each(['previous_response_id', 'conversation'])('may be empty: %s', (name) => {
    expect(read('responses', { input: 'x', [name]: '' }).sent.input).toBe('x');
  });

  it('may ask for 0 log-probabilities', () => {
    expect(read('responses', { input: 'x', top_logprobs: 0 }).sent).toEqual({ input: 'x' });
  });
});

describe('repair of a damaged history', () => {
  it('repairs and counts the arguments of calls', () => {
    const calls = [call('1', '{"a": "b'), call('2', '{}'), call('3', 'ls'), call('4', null), call('5', '')];
    const outputs = ['1', '2', '3', '4', '5'].map(output);
    const { sent, headers } = read('chat', {
      messages: [user, { role: 'assistant', tool_calls: calls }, ...outputs],
    });
    const args = sent.messages[1].tool_calls.map((it: ReturnType<typeof call>) => it.function.arguments);
    expect(args).toEqual(['{"a": "b"}', '{}', '{"_unparsed":"ls"}', '{}', '{}']);
    expect(headers).toEqual({ 'x-corral-repaired': '4' });
    const item = { type: 'function_call', call_id: '1', name: 'f', arguments: '{"a": "b' };
    const response = read('responses', {
      input: [item, { type: 'function_call_output', call_id: '1', output: 'x' }],
    });
    expect(response.sent.input[0].arguments).toBe('{"a": "b"}');
    expect(response.headers).toEqual({ 'x-corral-repaired': '1' });
  });

  it('adds what is missing of a pair of call and output', () => {
    const given = { role: 'assistant', content: null, tool_calls: [call('1'), call('2')] };
    const { sent, headers } = read('chat', { messages: [user, given, output('2'), user, output('9'), user] });
    expect(sent.messages).toMatchObject([
      user,
      given,
      output('2'),
      { role: 'tool', tool_call_id: '1', content: expect.stringContaining('lost') },
      user,
      { role: 'assistant', tool_calls: [{ id: '9', function: { name: 'unknown', arguments: '{}' } }] },
      output('9'),
      user,
    ]);
    expect(headers).toEqual({ 'x-corral-repaired': '2' });
    const functionOutput = { type: 'function_call_output', call_id: '1', output: 'x' };
    const lost = { type: 'function_call', call_id: '2', name: 'f', arguments: '{}' };
    expect(read('responses', { input: [functionOutput, lost, user] }).sent.input).toMatchObject([
      { type: 'function_call', call_id: '1', name: 'unknown' },
      functionOutput,
      lost,
      { type: 'function_call_output', call_id: '2' },
      user,
    ]);
  });

  it('converts function calls of the API before tools', () => {
    const given = { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } };
    const { sent, headers } = read('chat', {
      messages: [user, given, { role: 'function', name: 'f', content: 'x' }],
    });
    expect(sent.messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ ...call('call_function_1') }] },
      { role: 'tool', name: 'f', content: 'x', tool_call_id: 'call_function_1' },
    ]);
    expect(headers).toEqual({});
  });
});
