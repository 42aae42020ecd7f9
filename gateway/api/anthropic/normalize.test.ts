import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors/api-error.ts';
import { normalizeRequest } from '../request/normalize-request.ts';

const read = (fields: object, api: 'messages' | 'counted messages' = 'messages') => {
  const body = Buffer.from(JSON.stringify(fields));
  const normalized = normalizeRequest(api, JSON.parse(body.toString()), body);
  return { ...normalized, isSame: normalized.body === body, sent: JSON.parse(normalized.body.toString()) };
};
const contentOf = (block: object) =>
  read({ messages: [{ role: 'user', content: [block] }] }).sent.messages[0].content;
const textOf = (block: object) =>
  contentOf(block)
    .map((it: { text: string }) => it.text)
    .join('');
const getError = (fields: object): ApiError => {
  try {
    read(fields);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was rejected');
};

const user = { role: 'user', content: 'hi' };
const input_schema = { type: 'object', properties: {} };
const tool = (name: string, more: object = {}) => ({ name, input_schema, ...more });
const use = (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'f', input });
const result = (id: string, content: unknown = 'x') => ({ type: 'tool_result', tool_use_id: id, content });

it.each([
  { messages: [user], system: 'be kind', tools: [tool('a')], tool_choice: { type: 'auto' } },
  {
    messages: [user],
    system: [{ type: 'text', text: 'be kind', cache_control: { type: 'ephemeral' } }],
    tools: [],
  },
  {
    messages: [
      user,
      { role: 'assistant', content: [use('1')] },
      { role: 'user', content: [result('1')] },
      user,
    ],
  },
  {
    messages: [
      user,
      { role: 'assistant', content: [use('1'), use('2')] },
      { role: 'user', content: [result('2')] },
      { role: 'user', content: [result('1')] },
    ],
  },
  {
    messages: [
      user,
      { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 's' }, use('1')] },
    ],
  },
  { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: 'AAAA' } }] }] },
  { messages: [user], output_config: { effort: 'low' }, output_format: null, thinking: { type: 'adaptive' } },
  {
    messages: [user, { role: 'system', content: 'late' }, user],
    metadata: { user_id: 'x' },
    tool_choice: null,
  },
  { messages: ['odd', 5, { role: 'user' }] },
])('a request that llama-server reads correctly keeps its bytes: %j', (fields) => {
  expect(read(fields)).toMatchObject({ isSame: true, headers: {} });
});

describe("Claude Code's billing line", () => {
  const line = 'x-anthropic-billing-header: cc_version=2.1.101.e51; cc_entrypoint=cli; cch=a5145;';
  const you = { type: 'text', text: 'You are Claude Code.' };
  const systems: [system: unknown, left: unknown][] = [
    [[{ type: 'text', text: line }, you], [you]],
    [[{ type: 'text', text: line.slice(0, -1) }, you], [you]],
    [
      [{ type: 'text', text: line }, { type: 'text', text: line }, you, you],
      [you, you],
    ],
    [
      [{ type: 'text', text: `${line}\n\nBe kind.`, cache_control: null }],
      [{ type: 'text', text: 'Be kind.', cache_control: null }],
    ],
    [`${line}\nBe kind.`, 'Be kind.'],
    [`${line}You are Claude Code; x=1.`, 'You are Claude Code; x=1.'],
    [line, undefined],
    [[{ type: 'text', text: line }], undefined],
  ];
  it.each(systems)('is removed: %j', (system, left) => {
    expect(read({ messages: [user], system }).sent.system).toEqual(left);
    expect(read({ messages: [user], system }, 'counted messages').sent.system).toEqual(left);
  });

  it.each([[[you, { type: 'text', text: line }]], ['About x-anthropic-billing-header: a=b;'], [[you]]])(
    'is kept where the text only looks similar: %j',
    (system) => {
      expect(read({ messages: [user], system }).isSame).toBe(true);
    },
  );
});

describe('normalization of content blocks', () => {
  it('converts documents to text with their title', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'the text' };
    expect(textOf({ type: 'document', source, title: 'A', context: 'B' })).toBe(
      '<document>\n<title>A</title>\n<context>B</context>\nthe text\n</document>',
    );
    expect(textOf({ type: 'document', source, citations: { enabled: true } })).toBe(
      '<document>\nthe text\n</document>',
    );
    expect(textOf({ type: 'document', source: { type: 'content', content: 'the text' } })).toContain(
      'the text',
    );
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
    const blocks = [{ type: 'text', text: 'one' }, image];
    expect(contentOf({ type: 'document', source: { type: 'content', content: blocks } })).toEqual([
      { type: 'text', text: '<document>\n' },
      ...blocks,
      { type: 'text', text: '\n</document>' },
    ]);
  });

  it('converts search results to text with their source, also in a tool result', () => {
    const found = {
      type: 'search_result',
      title: 'A',
      source: 'https://a',
      content: [{ type: 'text', text: 'b' }],
    };
    const text = '<search_result>\n<title>A</title>\n<source>https://a</source>\nb\n</search_result>';
    expect(textOf(found)).toBe(text);
    const { sent } = read({
      messages: [
        user,
        { role: 'assistant', content: [use('1')] },
        { role: 'user', content: [result('1', [found])] },
      ],
    });
    const [block] = sent.messages[2].content;
    expect(block.content.map((it: { text: string }) => it.text).join('')).toBe(text);
  });

  it('converts tools that ran at Anthropic to calls and their results', () => {
    const { sent } = read({
      messages: [
        user,
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I look.' },
            { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q', source: 'x' } },
            {
              type: 'web_search_tool_result',
              tool_use_id: 's1',
              content: [
                { type: 'web_search_result', title: 'A', url: 'https://a', encrypted_content: 'zzz' },
              ],
            },
            { type: 'text', text: 'Found.' },
          ],
        },
        user,
      ],
    });
    expect(sent.messages).toMatchObject([
      user,
      { role: 'assistant', content: [{ type: 'text' }, { type: 'tool_use', id: 's1', name: 'web_search' }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 's1', content: expect.stringContaining('https://a') }],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'Found.' }] },
      user,
    ]);
    expect(JSON.stringify(sent)).not.toContain('zzz');
  });

  it('converts tool references and summaries of compacted conversations to text', () => {
    const found = { role: 'user', content: [result('1', [{ type: 'tool_reference', tool_name: 'grep' }])] };
    const asked = { role: 'assistant', content: [use('1')] };
    const [block] = read({ messages: [user, asked, found] }).sent.messages[2].content;
    expect(block.content).toEqual([{ type: 'text', text: expect.stringContaining('grep') }]);
    const { sent } = read({
      messages: [user, { role: 'assistant', content: [{ type: 'compaction', content: 'so far' }] }, user],
    });
    expect(sent.messages[1].content).toEqual([{ type: 'text', text: 'so far' }]);
  });

  it('moves tool results before the text of their turn', () => {
    const text = { type: 'text', text: 'and?' };
    const messages = [
      user,
      { role: 'assistant', content: [use('1')] },
      { role: 'user', content: [result('1'), text] },
    ];
    expect(read({ messages }).sent.messages.slice(2)).toEqual([
      { role: 'user', content: [result('1')] },
      { role: 'user', content: [text] },
    ]);
  });

  const blocks: [block: object, message: RegExp][] = [
    [
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'x' } },
      /a file \(application\/pdf\).*its text/,
    ],
    [{ type: 'document', source: { type: 'url', url: 'data:x' } }, /is a URL.*its text/],
    [{ type: 'document', source: { type: 'file', file_id: 'f' } }, /a stored file.*its text/],
    [{ type: 'document' }, /expected the source/],
    [{ type: 'image', source: { type: 'file', file_id: 'f' } }, /as base64/],
    [{ type: 'image' }, /as base64/],
    [{ type: 'container_upload', file_id: 'f' }, /container_upload.*remove it/],
    [{ type: 'something_new' }, /unsupported type\. .*remove it/],
    [{ type: 'text', text: null }, /expected a string/],
    [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'something_new' }] }, /unsupported type/],
  ];
  it.each(blocks)('rejects an unsupported block and names its place: %j', (block, message) => {
    const error = getError({
      messages: [user, { role: 'user', content: [{ type: 'text', text: 'x' }, block] }],
    });
    expect(error.status).toBe(400);
    expect(error.param).toMatch(/^messages\[1\]\.content\[1\]/);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(200);
  });

  it.each([[[{ type: 'image' }]], [['x']]])(
    'rejects a block of the system prompt that is not text: %j',
    (system) => {
      expect(getError({ messages: [user], system }).param).toBe('system[0]');
    },
  );
});

describe('normalization of tools', () => {
  const tools = [tool('a'), tool('b')];
  it('offers only the chosen tool, or none', () => {
    expect(read({ messages: [user], tools, tool_choice: { type: 'tool', name: 'b' } }).sent).toEqual({
      messages: [user],
      tools: [tool('b')],
      tool_choice: { type: 'any' },
    });
    expect(read({ messages: [user], tools, tool_choice: { type: 'none' } }).sent).toEqual({
      messages: [user],
    });
    expect(read({ messages: [user], tools, tool_choice: { type: 'any' } }).isSame).toBe(true);
  });

  it.each([
    { tools, tool_choice: { type: 'tool', name: 'z' } },
    { tools, tool_choice: { type: 'maybe' } },
    { tools, tool_choice: 'auto' },
    { tool_choice: { type: 'any' } },
    {
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
      tool_choice: { type: 'tool', name: 'web_search' },
    },
  ])('rejects a choice that no tool matches: %j', (fields) => {
    expect(getError({ messages: [user], ...fields })).toMatchObject({ status: 400, param: 'tool_choice' });
  });

  it('drops tools that run at Anthropic, and reports them to the client', () => {
    const mixed = [
      { type: 'web_search_20250305', name: 'web_search' },
      tool('a'),
      { type: 'bash_20250124', name: 'bash' },
    ];
    const { sent, headers } = read({ messages: [user], tools: mixed, mcp_servers: [{ url: 'https://x' }] });
    expect(sent.tools).toEqual(mixed.slice(1));
    expect(headers).toEqual({ 'x-corral-dropped-tools': 'mcp_servers, web_search_20250305' });
  });
});

describe('repair of a damaged history', () => {
  it('repairs the inputs of tools', () => {
    const calls = [use('1', '{"a": "b'), use('2', null), use('3', [1]), use('4', { a: 1 })];
    const results = ['1', '2', '3', '4'].map((id) => result(id));
    const { sent, headers } = read({
      messages: [user, { role: 'assistant', content: calls }, { role: 'user', content: results }],
    });
    const inputs = sent.messages[1].content.map((it: { input: unknown }) => it.input);
    expect(inputs).toEqual([{ a: 'b' }, {}, { _unparsed: '[1]' }, { a: 1 }]);
    expect(headers).toEqual({ 'x-corral-repaired': '3' });
  });

  it('adds what is missing of a pair of call and result', () => {
    const { sent, headers } = read({
      messages: [
        user,
        { role: 'assistant', content: [use('1'), use('2')] },
        { role: 'user', content: [result('2')] },
        { role: 'assistant', content: [use('3')] },
        user,
        { role: 'assistant', content: 'well' },
        { role: 'user', content: [result('9')] },
      ],
    });
    const kinds = sent.messages.map(({ content }: { content: unknown }) =>
      Array.isArray(content)
        ? content.map((it) => `${it.type} ${it.id ?? it.tool_use_id}`).join(', ')
        : content,
    );
    expect(kinds).toEqual([
      'hi',
      'tool_use 1, tool_use 2',
      'tool_result 1',
      'tool_result 2',
      'tool_use 3',
      'tool_result 3',
      'hi',
      'well',
      'tool_use 9',
      'tool_result 9',
    ]);
    expect(headers).toEqual({ 'x-corral-repaired': '3' });
  });
});

describe('conversion to a chat', () => {
  const schema = { type: 'object', properties: { n: { type: 'boolean' } } };
  const format = { type: 'json_schema', schema };
  const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema } };

  it.each([{ output_config: { format, effort: 'low' } }, { output_format: format }])(
    'is made for a schema of the response: %j',
    (fields) => {
      const { sent, responseConversion } = read({
        model: 'm',
        system: 'be kind',
        messages: [user],
        stop_sequences: ['x'],
        stream: true,
        ...fields,
      });
      expect(responseConversion).toBe('message');
      expect(sent).toEqual({
        model: 'm',
        stream: true,
        messages: [{ role: 'system', content: 'be kind' }, user],
        stop: ['x'],
        max_tokens: 4096,
        response_format,
      });
      expect(read({ messages: [user], ...fields }, 'counted messages').isSame).toBe(true);
    },
  );

  it('converts a request with fields that llama-server reads only of chats', () => {
    const fields = { min_p: 0.1, logit_bias: [['x', false]], reasoning_effort: 'low' };
    const { sent, responseConversion } = read({ messages: [user], ...fields });
    expect(responseConversion).toBe('message');
    expect(sent).toEqual({ messages: [user], max_tokens: 4096, ...fields });
    expect(read({ messages: [user], min_p: null }).isSame).toBe(true);
    const budgets = { thinking_budget_tokens: 1, thinking: { type: 'enabled', budget_tokens: 2 } };
    expect(read({ messages: [user], ...budgets }).sent).toMatchObject({ thinking_budget_tokens: 2 });
  });

  it('converts the whole conversation', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
    const { sent } = read({
      system: [
        { type: 'text', text: 'be ' },
        { type: 'text', text: 'kind' },
      ],
      max_tokens: 9,
      tools: [tool('f', { description: 'd' }), tool('g')],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      thinking: { type: 'enabled', budget_tokens: 7 },
      messages: [
        { role: 'user', content: [image, { type: 'text', text: 'see' }] },
        {
          role: 'assistant',
          content: [{ type: 'thinking', thinking: 'hm' }, { type: 'text', text: 'ok' }, use('1', { a: 1 })],
        },
        {
          role: 'user',
          content: [result('1', [{ type: 'text', text: 'r' }]), { type: 'text', text: 'and?' }],
        },
      ],
    });
    expect(sent).toEqual({
      max_tokens: 9,
      thinking_budget_tokens: 7,
      tool_choice: 'auto',
      parallel_tool_calls: false,
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: input_schema } },
        { type: 'function', function: { name: 'g', description: '', parameters: input_schema } },
      ],
      messages: [
        { role: 'system', content: 'be kind' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'text', text: 'see' },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'text', text: 'ok' }],
          tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
          reasoning_content: 'hm',
        },
        { role: 'tool', tool_call_id: '1', content: 'r' },
        { role: 'user', content: [{ type: 'text', text: 'and?' }] },
      ],
    });
  });

  it('uses either the schema or tools, never both', () => {
    const both = { messages: [user], tools: [tool('a')], output_format: format };
    expect(read({ ...both, tool_choice: { type: 'any' } }).sent).not.toHaveProperty('response_format');
    expect(read(both)).toMatchObject({
      sent: { response_format },
      headers: { 'x-corral-dropped-tools': 'function' },
    });
    expect(read({ ...both, tool_choice: { type: 'none' } }).headers).toEqual({});
  });

  it.each([
    [{ output_config: { format: { type: 'xml' } } }, 'output_config.format.type'],
    [{ output_config: { format: { type: 'json_schema' } } }, 'output_config.format.schema'],
    [{ output_format: { type: 'json_schema', schema: 'x' } }, 'output_format.schema'],
  ])('rejects an invalid schema: %j', (fields, param) => {
    expect(getError({ messages: [user], ...fields }).param).toBe(param);
  });
});
