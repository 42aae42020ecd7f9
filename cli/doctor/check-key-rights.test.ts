import { expect, it } from 'vitest';
import { checkKeyRights } from './check-key-rights.ts';

const names = {
  models: ['qwen3-8b', 'bge-m3'],
  aliases: [{ name: 'latest', targets: [{ model: 'qwen3-8b', weight: 1 }] }],
};

it('rights to all models, and to a model, are fine', () => {
  const keys = [
    { id: 'a', models: ['*'] },
    { id: 'b', models: ['bge-m3', 'qwen3-8b'] },
  ];
  expect(checkKeyRights(keys, names)).toEqual([]);
});

it('rights to an alias or to no model at all are reported', () => {
  expect(checkKeyRights([{ id: 'app', models: ['latest', 'bge-m3', 'qwen38b', 'x'] }], names)).toEqual([
    {
      ...{ about: 'keys', verdict: 'warning' },
      message: 'key "app" may use "latest", which is an alias: a right counts only for a model',
      fix: 'name the models of the alias: qwen3-8b',
    },
    {
      ...{ about: 'keys', verdict: 'warning' },
      message: 'key "app" may use "qwen38b", but there is no such model',
      fix: 'did you mean "qwen3-8b"?',
    },
    {
      ...{ about: 'keys', verdict: 'warning' },
      message: 'key "app" may use "x", but there is no such model',
      fix: 'the models are qwen3-8b, bge-m3',
    },
  ]);
});
