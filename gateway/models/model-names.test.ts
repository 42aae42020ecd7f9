import { describe, expect, it } from 'vitest';
import { createKey } from '../../keys/secret.ts';
import { ModelNames, toPublicName } from './model-names.ts';

const facts = { modelAlias: undefined, modelPath: '/models/Some-Model-Q4.gguf' };
const names = (options: Partial<ConstructorParameters<typeof ModelNames>[0]> = {}) =>
  new ModelNames({ names: [], strict: false, props: () => facts, ...options });
const keyFor = (...models: string[]) => createKey('app', { models }, 0).key;
const codeOf = (act: () => unknown) => {
  try {
    return act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('toPublicName', () => {
  it.each([
    ['/models/a.gguf', 'a'],
    ['a.GGUF', 'a'],
    ['/m/big-00001-of-00003.gguf', 'big'],
    ['alias', 'alias'],
  ])('%s is %s', (path, name) => expect(toPublicName(path)).toBe(name));
});

describe('ModelNames', () => {
  it('gives the configured names, else the alias, else the file name, and never a path', () => {
    expect(names({ names: ['a', 'b'] }).public).toEqual(['a', 'b']);
    expect(names({ props: () => ({ ...facts, modelAlias: 'alias' }) }).public).toEqual(['alias']);
    expect(names({ props: () => ({ ...facts, modelAlias: '/models/x.gguf' }) }).public).toEqual(['x']);
    expect(names().public).toEqual(['Some-Model-Q4']);
    expect(names({ props: () => undefined }).public).toEqual([]);
  });

  it('knows which names are served', () => {
    const served = (options: object) => names(options).isServed;
    const all = [undefined, 'a', 'gpt-4o', 'a:sql', 'a:none'];
    expect(all.filter(served({ names: ['a'] }))).toEqual(all);
    expect(all.filter(served({ names: ['a'], adapters: ['sql'] }))).toEqual(all.slice(0, 4));
    expect(all.filter(served({ names: ['a'], strict: true }))).toEqual([undefined, 'a']);
  });

  it('resolves any name to the one model, unless it is strict', () => {
    expect(names({ names: ['a', 'b'] }).resolve('gpt-4o', undefined)).toBe('a');
    expect(names({ names: ['a', 'b'] }).resolve('b', undefined)).toBe('b');
    const strict = names({ names: ['a'], strict: true });
    expect(codeOf(() => strict.resolve('gpt-4o', undefined))).toBe('model_not_found');
    expect(strict.resolve(undefined, undefined)).toBe('a');
    expect(strict.resolve('Some-Model-Q4.gguf', undefined)).toBe('a');
  });

  it('resolves a name before the backend has reported its own', () => {
    expect(names({ props: () => undefined }).resolve('gpt-4o', undefined)).toBe('default');
  });

  it('rejects a model that the key may not use', () => {
    const both = names({ names: ['a', 'b'] });
    expect(both.resolve('b', keyFor('b'))).toBe('b');
    expect(both.resolve('a', keyFor('*'))).toBe('a');
    expect(codeOf(() => both.resolve('a', keyFor('b')))).toBe('model_not_allowed');
    expect(codeOf(() => both.resolve('a', keyFor()))).toBe('model_not_allowed');
  });
});
