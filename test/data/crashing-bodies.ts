/**
 * Bodies that crash a llama-server, hang it, or keep it busy for seconds. They were found by `npm run fuzz -- --only engine`,
 * in its source and in bug reports. Each with the field that the gateway's error names.
 */
export type CrashingBody = readonly [name: string, path: string, body: object, param: string];

const list = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const user = { role: 'user', content: 'x' };
const chat = '/v1/chat/completions';
const completion = '/v1/completions';

/** Schemas with the path of the fault. */
const schemas: readonly (readonly [name: string, schema: object, place: string])[] = [
  ['a repetition of five to one', { type: 'string', pattern: '^a{5,1}$' }, '.pattern'],
  [
    'the same in a property named like a keyword',
    { properties: { default: { pattern: '^a{5,1}$' } } },
    '.properties.default.pattern',
  ],
  [
    'the same behind a reference into a value',
    { $ref: '#/default', default: { pattern: '^(ab){5 ,1x}$' } },
    '.pattern',
  ],
  ['repeated repetitions of nothing', { type: 'string', pattern: '^((a?){0,1500}){0,1500}$' }, '.pattern'],
  ['many optional groups', { type: 'string', pattern: `^${'(a|b)?'.repeat(1500)}$` }, '.pattern'],
  ['more characters at least than at most', { type: 'string', minLength: 5, maxLength: 1 }, '.minLength'],
  ['more items at least than at most', { type: 'array', items: {}, minItems: 9, maxItems: 2 }, '.minItems'],
  [
    'an integer of many digits, without an end',
    { type: 'integer', minimum: 123456789 * 10 ** 9 },
    '.minimum',
  ],
  ['an integer beyond 64 bits', { type: 'integer', minimum: -(2 ** 63), maximum: 2 ** 64 }, '.minimum'],
  ['a hundred thousand choices', { enum: list(100_000, (n) => `v${n}`) }, '.enum'],
  [
    'thousands of optional properties',
    { type: 'object', properties: Object.fromEntries(list(5000, (n) => [`p${n}`, {}])) },
    '.properties',
  ],
  [
    'names that become one rule',
    {
      type: 'object',
      required: list(3000, (n) => '!'.repeat(n + 1)),
      properties: Object.fromEntries(list(900, (n) => ['!'.repeat(n + 1), {}])),
    },
    '.properties',
  ],
  [
    'a name without end beside others',
    { type: 'object', properties: { ['a'.repeat(100_000)]: {} }, additionalProperties: true },
    '.properties',
  ],
  [
    'a reference to itself',
    { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { $ref: '#/$defs/a' } } },
    '.allOf[0].$ref',
  ],
  [
    'two references to each other',
    { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    '.allOf[0].$ref',
  ],
  [
    'types that multiply',
    list(20, (n) => n).reduce<object>((inner) => ({ type: ['object', 'object'], properties: { a: inner } }), {
      type: 'string',
    }),
    '.type',
  ],
];

const grammars: readonly (readonly [name: string, grammar: string])[] = [
  ['nested groups', `root ::= ${'('.repeat(100_000)}"a"${')'.repeat(100_000)}`],
  [
    'a chain of rules',
    `root ::= a0\n${list(20_000, (n) => `a${n} ::= a${n + 1}`).join('\n')}\na20000 ::= "x"`,
  ],
  ['a repetition of five to one', 'root ::= "a"{5,1}'],
  ['repetitions through names', 'root ::= c\nb ::= "x"?\na ::= b{0,1500}\nc ::= a{0,1500}'],
  ['a repeated long text', `root ::= "${'a'.repeat(100_000)}"{1900}`],
  [
    'ever more beginnings',
    `root ::= a0\n${list(40, (n) => `a${n} ::= a${n + 1} "y" | a${n + 1} "z"`).join('\n')}\na40 ::= "x"`,
  ],
  ['too many alternatives', `root ::= ${list(50_000, (n) => `"a${n}"`).join(' | ')}`],
  ['another kind of grammar', '%llguidance {}\nstart: "a"'],
  ['a token that is none', 'root ::= <[99999999]>'],
];

const sampling: readonly (readonly [fields: object, param: string])[] = [
  [
    { grammar: 'root ::= "a"', grammar_lazy: true, grammar_triggers: [{ type: 99, value: 'a' }] },
    'grammar_triggers[0].type',
  ],
  [
    {
      grammar: 'root ::= "a"',
      grammar_lazy: true,
      grammar_triggers: [{ type: 2, value: deep(50_000).replaceAll('[', '(').replaceAll(']', ')') }],
    },
    'grammar_triggers[0].type',
  ],
  [{ samplers: list(100_000, () => 'dry'), dry_multiplier: 1 }, 'samplers'],
  [{ samplers: ['infill'] }, 'samplers'],
  [{ dry_multiplier: 1, dry_sequence_breakers: list(20_000, (n) => `a${n}`) }, 'dry_sequence_breakers'],
  [{ chat_parser: deep(100_000) }, 'chat_parser'],
];

const toolCall = { id: 'a', type: 'function', function: { name: 'f', arguments: deep(100_000) } };
const called = [
  user,
  { role: 'assistant', content: null, tool_calls: [toolCall] },
  { role: 'tool', tool_call_id: 'a', content: 'x' },
];

export const crashingBodies: readonly CrashingBody[] = [
  ...[chat, `${chat}/input_tokens`].map(
    (path): CrashingBody => [
      'nested arguments',
      path,
      { messages: called },
      'messages[1].tool_calls[0].function.arguments',
    ],
  ),
  [
    'nested arguments',
    '/v1/responses',
    {
      input: [
        user,
        { type: 'function_call', call_id: 'a', name: 'f', arguments: deep(50_000) },
        { type: 'function_call_output', call_id: 'a', output: 'x' },
      ],
    },
    'input[1].arguments',
  ],
  [
    'a nested input',
    '/v1/messages',
    {
      max_tokens: 2,
      messages: [
        user,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: deep(50_000) }] },
      ],
    },
    'messages[1].content[0].input',
  ],
  ...schemas.flatMap(([name, schema, place]): CrashingBody[] => [
    [
      name,
      chat,
      { messages: [user], response_format: { type: 'json_schema', json_schema: { schema } } },
      `response_format.json_schema.schema${place}`,
    ],
    [
      name,
      chat,
      {
        messages: [user],
        tools: [
          {
            type: 'function',
            function: { name: 'f', parameters: schema },
          },
        ],
      },
      `tools[0].function.parameters${place}`,
    ],
  ]),
  ...schemas.slice(0, 1).flatMap(([name, schema, place]): CrashingBody[] => [
    [
      name,
      chat,
      { messages: [user], response_format: { type: 'json_object', schema } },
      `response_format.schema${place}`,
    ],
    [name, completion, { prompt: 'x', json_schema: schema }, `json_schema${place}`],
    [
      name,
      '/v1/responses',
      { input: 'x', text: { format: { type: 'json_schema', name: 'a', schema } } },
      `text.format.schema${place}`,
    ],
    [
      name,
      '/v1/responses',
      { input: 'x', tools: [{ type: 'function', name: 'f', parameters: schema }] },
      `tools[0].parameters${place}`,
    ],
    [
      name,
      '/v1/messages',
      { max_tokens: 2, messages: [user], tools: [{ name: 'f', input_schema: schema }] },
      `tools[0].input_schema${place}`,
    ],
    [
      name,
      '/v1/messages',
      { max_tokens: 2, messages: [user], output_config: { format: { type: 'json_schema', schema } } },
      `output_config.format.schema${place}`,
    ],
    [
      name,
      '/v1/messages/count_tokens',
      { messages: [user], tools: [{ name: 'f', input_schema: schema }] },
      `tools[0].input_schema${place}`,
    ],
  ]),
  ...grammars.map(
    ([name, grammar]): CrashingBody => [
      `a grammar with ${name}`,
      completion,
      { prompt: 'x', max_tokens: 2, grammar },
      'grammar',
    ],
  ),
  ...sampling.map(
    ([fields, param]): CrashingBody => [
      `${param}`,
      completion,
      { prompt: 'x', max_tokens: 2, ...fields },
      param,
    ],
  ),
];
