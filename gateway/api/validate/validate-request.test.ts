import { describe, expect, it } from 'vitest';
import { crashingBodies } from '../../../test/data/crashing-bodies.ts';
import { ApiError } from '../../errors/api-error.ts';
import { validateRequest } from './validate-request.ts';

const getError = (fields: object): ApiError | undefined => {
  try {
    validateRequest(fields as Record<string, unknown>);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
};
const schemaOf = (schema: unknown) => ({ json_schema: schema });
const patternOf = (pattern: string) => schemaOf({ type: 'string', pattern });
const grammarOf = (grammar: string) => ({ grammar });

it.each(crashingBodies)('%s, %s, is rejected with the name of its field', (_, _path, body, param) => {
  expect(getError(body)).toMatchObject({ status: 400, code: 'invalid_value', param });
});

describe('a limit is exact', () => {
  it.each<[string, object, object]>([
    ['times', patternOf('^a{2,1}$'), patternOf('^a{1,2}$')],
    ['times in names of the engine', patternOf('^a{2,1x}$'), patternOf('^a{x,1}$')],
    ['times that are demanded', patternOf('^a{2000}$'), patternOf('^a{1999}$')],
    ['elements', patternOf('^(abc){667}$'), patternOf('^(abc){666}$')],
    ['optional parts in a row', patternOf(`^${'a?'.repeat(151)}$`), patternOf(`^${'a?'.repeat(150)}$`)],
    [
      'groups',
      patternOf(`^${'('.repeat(101)}a${')'.repeat(101)}$`),
      patternOf(`^${'('.repeat(100)}a${')'.repeat(100)}$`),
    ],
    ['choices', schemaOf({ enum: Array(3001).fill('a') }), schemaOf({ enum: Array(3000).fill('a') })],
    ['lengths', schemaOf({ minLength: 3, maxLength: 2 }), schemaOf({ minLength: 2, maxLength: 2 })],
    [
      'integers',
      schemaOf({ type: 'integer', minimum: 3, maximum: 2 }),
      schemaOf({ type: 'integer', minimum: 2, maximum: 2 }),
    ],
    [
      'integers without an end',
      schemaOf({ type: ['integer', 'null'], minimum: 1e15 }),
      schemaOf({ type: ['integer', 'null'], minimum: 1e15 - 1 }),
    ],
    [
      'integers that exclude their ends',
      schemaOf({ type: 'integer', exclusiveMinimum: 1, exclusiveMaximum: 2 }),
      schemaOf({ type: 'integer', exclusiveMinimum: 1, exclusiveMaximum: 3 }),
    ],
    [
      'groups of a grammar',
      grammarOf(`root ::= ${'('.repeat(101)}"a"${')'.repeat(101)}`),
      grammarOf(`root ::= ${'('.repeat(100)}"a"${')'.repeat(100)}`),
    ],
    ['times of a grammar', grammarOf('root ::= "a" { 2 , 1 }'), grammarOf('root ::= "a" { 1 , 2 }')],
    ['tools', { tools: Array(1001).fill({}) }, { tools: Array(1000).fill({}) }],
    ['stops', { stop: Array(1001).fill('a') }, { stop: Array(1000).fill('a') }],
    ['levels', { input: [{ arguments: '['.repeat(129) }] }, { input: [{ arguments: '['.repeat(128) }] }],
    [
      'candidates to infill',
      { samplers: ['top_k', 'infill'], top_k: 1001 },
      { samplers: ['top_k', 'infill'], top_k: 1000 },
    ],
  ])('for %s', (_, beyond, within) => {
    expect([getError(beyond)?.status, getError(within)]).toEqual([400, undefined]);
  });
});

it.each<[string, object]>([
  [
    'values of any kind where others are expected',
    {
      messages: 5,
      tools: 'x',
      grammar: 7,
      samplers: {},
      logit_bias: null,
      json_schema: [1],
      response_format: [],
    },
  ],
  [
    'null everywhere',
    {
      messages: [null, { content: [null], tool_calls: [null, { function: null }] }],
      tools: [null],
      response_format: null,
      text: null,
      stop: null,
    },
  ],
  [
    'a grammar with comments, strings and classes of brackets',
    grammarOf('# {5,1}\nroot ::= "{5,1}" [{5,1}] "\\"{5,1}" a # ((((\na ::= ( "x" | root )* '),
  ],
  ['a long row of repetitions', grammarOf(`root ::= "a"${'+'.repeat(100_000)}`)],
  ['a pattern of classes with brackets', patternOf('^[{5,1}(]\\{5,1\\}$')],
  [
    'text in a message that looks like anything',
    {
      messages: [
        { role: 'user', content: '['.repeat(5000) },
        { role: 'tool', content: '{'.repeat(5000) },
      ],
    },
  ],
])('llama-server gets %s', (_, fields) => {
  expect(getError(fields)).toBeUndefined();
});

it('judges a pattern in the same way each time, whatever others it has seen', () => {
  const statuses = (pattern: string) => [1, 2].map(() => getError(patternOf(pattern))?.status);
  for (let n = 0; n < 2100; n++) {
    if (n % 300 === 0) expect(statuses('^a{2,1}$')).toEqual([400, 400]);
    expect(statuses(`^a{1,2}${n}$`)).toEqual([undefined, undefined]);
  }
});
