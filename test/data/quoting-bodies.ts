/** It is in each of these bodies and must not appear anywhere else. */
export const canary = 'hedgehog-4711';

const chat = '/v1/chat/completions';
const hi = [{ role: 'user', content: 'hi' }];
const chatWith = (fields: object) => ({ max_tokens: 3, messages: hi, ...fields });
const toolOf = (parameters: object) => ({ type: 'function', function: { name: 'f', parameters } });
const called = (args: unknown) =>
  chatWith({
    messages: [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: args } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'y' },
    ],
  });
const schema = (value: object) =>
  chatWith({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: value } } });
const cutEmoji = (before: string, after: string) => `{${before}"${canary} \\ud83d"${after}}`;

/** Invalid requests that llama-server quotes in its errors or its log. */
export const quotingBodies: readonly (readonly [what: string, path: string, body: unknown])[] = [
  ['a message without a role', chat, { messages: [{ content: canary }] }],
  ['half an emoji', chat, cutEmoji('"messages":[{"role":"user","content":', '}]')],
  ['a message that is a text', chat, { messages: [canary] }],
  ['content that is an object', chat, { messages: [{ role: 'user', content: { a: canary } }] }],
  [
    'a part of an unknown type',
    chat,
    { messages: [{ role: 'user', content: [{ type: canary, text: canary }] }] },
  ],
  ['an unknown role', chat, { messages: [{ role: canary, content: canary }], max_tokens: 2 }],
  ['a tool of an unknown type', chat, chatWith({ tools: [{ type: canary }] })],
  ['a tool without a function', chat, chatWith({ tools: [{ type: 'function', x: canary }] })],
  [
    'a tool without a name',
    chat,
    chatWith({ tools: [{ type: 'function', function: { description: canary } }] }),
  ],
  ['tools that are no list', chat, chatWith({ tools: { a: canary } })],
  ['an unknown tool_choice', chat, chatWith({ tools: [toolOf({ type: 'object' })], tool_choice: canary })],
  [
    'parameters of an unknown type',
    chat,
    chatWith({ tools: [toolOf({ type: canary })], tool_choice: 'required' }),
  ],
  ['an unknown reasoning_format', chat, chatWith({ reasoning_format: canary })],
  ['a schema of an unknown type', chat, schema({ type: canary })],
  [
    'an unknown type of a property with a private name',
    chat,
    schema({ type: 'object', properties: { [canary]: { type: canary } } }),
  ],
  ['a reference to nothing', chat, schema({ $ref: `#/x/${canary}` })],
  ['a reference elsewhere', chat, schema({ $ref: `https://${canary}/x` })],
  ['a pattern that is not one', chat, schema({ type: 'string', pattern: `^(${canary}$` })],
  ['a pattern that is not supported', chat, schema({ type: 'string', pattern: canary })],
  ['an unknown response_format', chat, chatWith({ response_format: { type: canary } })],
  ['a grammar that is not one', chat, chatWith({ grammar: canary })],
  ['a grammar with an unknown rule', chat, chatWith({ grammar: `root ::= "${canary}" ${canary}` })],
  ['a grammar of several lines', chat, chatWith({ grammar: `root ::= "x"\n${canary}\n` })],
  ['samplers that are not known', chat, chatWith({ samplers: [canary] })],
  ['arguments that are no JSON', chat, called(`{"a":"${canary} \\`)],
  [
    'a call without a type',
    chat,
    chatWith({ messages: [...hi, { role: 'assistant', tool_calls: [{ id: canary }] }] }),
  ],
  [
    'a picture that is none',
    chat,
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${canary}` } }],
        },
      ],
    },
  ],
  [
    'nothing, as a stream',
    chat,
    { messages: [{ role: 'user', content: canary }], stream: true, max_tokens: 3 },
  ],
  ['a message without a role, as a stream', chat, { messages: [{ content: canary }], stream: true }],
  ['a prompt that is an object', '/v1/completions', { prompt: { a: canary } }],
  ['half an emoji', '/v1/completions', cutEmoji('"max_tokens":2,"prompt":', '')],
  ['a grammar that is not one', '/v1/completions', { prompt: canary, grammar: canary, max_tokens: 2 }],
  ['nothing', '/v1/completions', { prompt: canary, max_tokens: 40 }],
  ['an unknown item', '/v1/responses', { input: [{ type: canary, content: canary }] }],
  ['an unknown part', '/v1/responses', { input: [{ role: 'user', content: [{ type: canary }] }] }],
  ['an unknown tool', '/v1/responses', { input: 'hi', tools: [{ type: canary }], max_output_tokens: 2 }],
  [
    'a tool of an unknown type',
    '/v1/responses',
    {
      input: 'hi',
      tools: [{ type: 'function', name: 'f', parameters: { type: canary } }],
      tool_choice: 'required',
    },
  ],
  [
    'a schema of an unknown type',
    '/v1/responses',
    { input: 'hi', text: { format: { type: 'json_schema', name: 'x', schema: { type: canary } } } },
  ],
  ['a message without a role', '/v1/messages', { max_tokens: 3, messages: [{ content: canary }] }],
  ['half an emoji', '/v1/messages', cutEmoji('"max_tokens":3,"messages":[{"role":"user","content":', '}]')],
  [
    'a billing header',
    '/v1/messages',
    { max_tokens: 3, system: `x-anthropic-billing-header: cch=${canary}`, messages: hi },
  ],
  [
    'a tool of an unknown type',
    '/v1/messages',
    {
      max_tokens: 3,
      messages: hi,
      tools: [{ name: 'f', input_schema: { type: canary } }],
      tool_choice: { type: 'any' },
    },
  ],
  ['a message without a role', '/v1/messages/count_tokens', { messages: [{ content: canary }] }],
  ['half an emoji', '/v1/messages/count_tokens', cutEmoji('"messages":[{"role":"user","content":', '}]')],
  ['a message without a role', '/v1/chat/completions/input_tokens', { messages: [{ content: canary }] }],
  ['an unknown item', '/v1/responses/input_tokens', { input: [{ type: canary }] }],
  ['half an emoji', '/tokenize', cutEmoji('"content":', '')],
  ['a token that is a text', '/detokenize', { tokens: [canary] }],
  ['a message without a role', '/apply-template', { messages: [{ content: canary }] }],
  ['a grammar that is not one', '/completion', { prompt: canary, grammar: canary, n_predict: 2 }],
  [
    'a schema of an unknown type',
    '/completion',
    { prompt: 'x', json_schema: { type: canary }, n_predict: 2 },
  ],
  ['a prefix that is an object', '/infill', { input_prefix: { a: canary } }],
  ['an input that is an object', '/v1/embeddings', { input: { a: canary } }],
  ['a document that is an object', '/v1/rerank', { query: canary, documents: [{ a: canary }] }],
  [
    'an unknown kind of document',
    '/v1/messages',
    {
      max_tokens: 3,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: canary, data: canary } }] }],
    },
  ],
  [
    'a document of an unknown media type',
    '/v1/messages',
    {
      max_tokens: 3,
      messages: [
        {
          role: 'user',
          content: [{ type: 'document', source: { type: 'base64', media_type: canary, data: canary } }],
        },
      ],
    },
  ],
  [
    'a block of an unknown type',
    '/v1/messages',
    { max_tokens: 3, messages: [{ role: 'user', content: [{ type: canary }] }] },
  ],
  [
    'an unknown tool',
    '/v1/messages',
    {
      max_tokens: 3,
      messages: hi,
      tools: [{ name: 'f', input_schema: {} }],
      tool_choice: { type: 'tool', name: canary },
    },
  ],
  ['an unknown role', '/v1/responses', { input: [{ role: canary, content: canary }] }],
  ['an unknown function', chat, chatWith({ functions: [{ name: 'f' }], function_call: { name: canary } })],
  [
    'a picture elsewhere',
    chat,
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: `https://${canary}/x.png` } }] },
      ],
    },
  ],
  ['a body that is no JSON', chat, `{"messages": ${canary}}`],
  ['a body that ends too early', chat, `{"messages":[{"role":"user","content":"${canary}"}]`],
  ['a limit that is a text', chat, chatWith({ max_tokens: canary })],
];
