import { describe, expect, it } from 'vitest';
import { parseClaimsFile } from './claims-file.ts';
import { findRule, readClaim } from './claims-rules.ts';

const matches = (when: unknown, claims: Record<string, unknown>) =>
  findRule(
    parseClaimsFile(JSON.stringify({ version: 1, rules: [{ name: 'r', when, scopes: [] }] })),
    claims,
  ) !== undefined;

describe('a claim', () => {
  const claims = {
    groups: ['a'],
    realm_access: { roles: ['x'] },
    'kubernetes.io': { namespace: 'apps', serviceaccount: { name: 'web' } },
    'https://e.example/roles': ['r'],
    'a.b': { c: 1 },
    a: { 'b.c': 2, b: { c: 3 } },
  };
  it.each([
    ['groups', ['a']],
    ['realm_access.roles', ['x']],
    ['kubernetes.io.namespace', 'apps'],
    ['kubernetes.io.serviceaccount.name', 'web'],
    ['https://e.example/roles', ['r']],
    ['a.b.c', 1],
    ['a.b', { c: 1 }],
    ['groups.0', undefined],
    ['groups.length', undefined],
    ['realm_access.roles.x', undefined],
    ['constructor', undefined],
    ['realm_access.__proto__', undefined],
    ['.groups', undefined],
    ['groups.', undefined],
  ])('%s', (path, value) => {
    expect(readClaim(claims, path)).toEqual(value);
  });
});

it.each([
  ['a text', { sub: 'a' }, { sub: 'a' }, true],
  ['another text', { sub: 'a' }, { sub: 'ab' }, false],
  ['another case', { sub: 'a' }, { sub: 'A' }, false],
  ['one of a list of the token', { groups: 'b' }, { groups: ['a', 'b'] }, true],
  ['none of a list of the token', { groups: 'c' }, { groups: ['a', 'b'] }, false],
  ['one of a list of the rule', { sub: ['a', 'b'] }, { sub: 'b' }, true],
  ['all conditions', { sub: 'a', groups: 'g' }, { sub: 'a', groups: ['g'] }, true],
  ['not all conditions', { sub: 'a', groups: 'g' }, { sub: 'a' }, false],
  ['a beginning', { sub: 'repo:me/*' }, { sub: 'repo:me/x:ref:main' }, true],
  ['another beginning', { sub: 'repo:me/*' }, { sub: 'repo:meme/x' }, false],
  ['a * alone, with any text', { sub: '*' }, { sub: '' }, true],
  ['a * alone, without the claim', { sub: '*' }, {}, false],
  ['a truth', { ok: true }, { ok: true }, true],
  ['a truth as a text', { ok: true }, { ok: 'true' }, false],
  ['a number', { n: 1 }, { n: 1 }, true],
  ['a number as a text', { n: '1' }, { n: 1 }, false],
  ['no condition', {}, {}, true],
  ['an object', { o: '[object Object]' }, { o: {} }, false],
  ['a nested list', { groups: 'a' }, { groups: [['a']] }, false],
])('%s', (_, when, claims, expected) => {
  expect(matches(when, claims)).toBe(expected);
});

it('the first rule that matches counts, also one without rights', () => {
  const rules = parseClaimsFile(
    JSON.stringify({
      version: 1,
      rules: [
        { name: 'blocked', when: { sub: 'eve' }, scopes: [] },
        { name: 'all', when: {}, scopes: ['inference'] },
      ],
    }),
  );
  expect(findRule(rules, { sub: 'eve' })?.name).toBe('blocked');
  expect(findRule(rules, { sub: 'bob' })?.name).toBe('all');
});
