import { describe, expect, it } from 'vitest';
import { ClaimsFileError, parseClaimsFile } from './claims-file.ts';

const parse = (...rules: unknown[]) => parseClaimsFile(JSON.stringify({ version: 1, rules }));

function problemOf(text: string): string {
  try {
    parseClaimsFile(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ClaimsFileError);
    return (error as Error).message;
  }
  return 'no problem';
}
const problemOfRules = (...rules: unknown[]) => problemOf(JSON.stringify({ version: 1, rules }));

it('a rule has the rights that it names, and the defaults of a key', () => {
  const limits = { requestsPerMinute: 30, tokensPerDay: 0 };
  expect(
    parse(
      { name: 'ops', when: { groups: 'admins' }, scopes: ['admin'] },
      {
        name: 'ci',
        when: { sub: ['a', 'b*'], ok: true, n: 1 },
        scopes: ['inference'],
        models: ['m'],
        priority: 'low',
        limits,
      },
    ),
  ).toEqual([
    {
      name: 'ops',
      when: new Map([['groups', ['admins']]]),
      scopes: ['admin'],
      models: ['*'],
      priority: 'normal',
      limits: {},
    },
    {
      name: 'ci',
      when: new Map<string, unknown>([
        ['sub', ['a', 'b*']],
        ['ok', [true]],
        ['n', [1]],
      ]),
      scopes: ['inference'],
      models: ['m'],
      priority: 'low',
      limits,
    },
  ]);
});

describe('mistakes', () => {
  it.each([
    ['{"groups":"staff","groups":"emea"}', /an object has "groups" twice, and only the last would count/],
    ['{"__proto__":"x"}', /"__proto__" cannot be the name of a claim/],
  ])('a condition that would be lost is one: %s', (when, message) => {
    const text = `{"version":1,"rules":[{"name":"a","when":${when},"scopes":["admin"]}]}`;
    expect(() => parseClaimsFile(text)).toThrow(message);
  });

  it('are all told at once, each with its rule', () => {
    const problem = problemOfRules(
      { name: 'a b', when: {}, scopes: ['inference'] },
      { name: 'ops', when: { groups: [] }, scopes: ['root'], rpm: 3 },
      {
        name: 'ci',
        when: { sub: 'a*b', x: { y: 1 } },
        scopes: [],
        limits: { request_per_minute: 1, tokensPerDay: -1 },
      },
      { when: {}, scopes: [] },
    );
    for (const part of [
      /rules\[0\]\.name \(rule "a b"\): must be 1 to 64 letters/,
      /rules\[1\]\.when\.groups \(rule "ops"\): must name at least one value/,
      /rules\[1\]\.scopes\[0\] \(rule "ops"\): .*"inference"/,
      /rules\[1\] \(rule "ops"\): unknown field "rpm", did you mean "requestsPerMinute"\?/,
      /rules\[2\]\.when\.sub \(rule "ci"\): may have a \* at its end only/,
      /rules\[2\]\.when\.x \(rule "ci"\): must be a text, a number/,
      /rules\[2\]\.limits \(rule "ci"\): unknown field "request_per_minute", did you mean "requestsPerMinute"\?/,
      /rules\[2\]\.limits\.tokensPerDay \(rule "ci"\): must be an integer ≥ 0/,
      /rules\[3\]\.name: /,
    ])
      expect(problem).toMatch(part);
  });

  it.each([
    [
      'a misspelt condition',
      '{"version":1,"rules":[{"name":"a","whem":{"sub":"x"},"scopes":[]}]}',
      /when.*unknown field "whem", did you mean "when"\?/,
    ],
    ['no condition', '{"version":1,"rules":[{"name":"a","scopes":[]}]}', /rules\[0\]\.when \(rule "a"\)/],
    [
      'an unknown field of the file',
      '{"version":1,"rules":[],"rule":[]}',
      /the file: unknown field "rule", did you mean "rules"\?/,
    ],
    [
      'two rules of one name',
      '{"version":1,"rules":[{"name":"a","when":{},"scopes":[]},{"name":"a","when":{},"scopes":[]}]}',
      /two rules have the name "a"/,
    ],
    ['another version', '{"version":2,"rules":[]}', /^version: /],
    ['text that is no JSON', '{"version":1,', /is not valid JSON/],
    ['an empty file', '', /is not valid JSON/],
  ])('%s', (_, text, problem) => {
    expect(problemOf(text)).toMatch(problem);
  });
});
