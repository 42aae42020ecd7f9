import { expect, it } from 'vitest';
import { requestedModel, requestedTargets } from './requested-targets.ts';

const document = {
  models: [
    { id: 'a', file: 'a' },
    { id: 'b', file: 'b' },
    { id: 'e', file: 'e', kind: 'embeddings' },
  ],
  aliases: [{ name: 'broken', targets: [{ model: 'gone' }] }],
};
const targetsOf = (name: string, fields: Readonly<Record<string, unknown>>) =>
  requestedTargets(document, name, fields, '/models');
const problemsOf = (act: () => unknown) => {
  try {
    return act();
  } catch (error) {
    return (error as { problems?: readonly string[] }).problems;
  }
};

it('returns targets as they are written', () => {
  const targets = [{ model: 'a', weight: 90 }, { model: 'b' }];
  expect(targetsOf('latest', { targets })).toEqual(targets);
  expect(requestedModel(document, { to: 'b' })).toBe('b');
});

it('names every mistake by its place, and none of other aliases', () => {
  const targets = [{ model: 'a', weight: -1 }, { model: 'xyz' }, { model: 'e', path: '/etc/passwd' }, 7];
  expect(problemsOf(() => targetsOf('a', { targets, extra: 1 }))).toEqual([
    'extra: unknown field; expected only "targets"',
    expect.stringMatching(/^targets\[0\]\.weight: invalid value -1/),
    expect.stringMatching(/^targets\[2\]\.path: unknown field/),
    expect.stringMatching(/^targets\[3\]: invalid value 7/),
    expect.stringMatching(/^name: "a" is already the name of models\[0\]\.id/),
    'targets[1].model: no model "xyz"; the models are a, b, e',
    expect.stringMatching(/^targets: has models of the kinds chat and embeddings/),
  ]);
});

it.each([
  [{}, ['to: expected the id of a model, such as {"to":"qwen3-8b"}']],
  [{ to: 'aa' }, ['to: no model "aa"; did you mean "a"?']],
  [{ to: 'xyz', weight: 1 }, ['weight: unknown field; expected only "to"', expect.stringContaining('"xyz"')]],
])('%j cannot be promoted', (fields, problems) => {
  expect(problemsOf(() => requestedModel(document, fields))).toEqual(problems);
});
