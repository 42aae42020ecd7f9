import { describe, expect, it } from 'vitest';
import { addModel, promote, removeAlias, removeModel, rollBack, setAlias, setPin } from './edit-registry.ts';
import type { RegistryDocument, WrittenTarget } from './registry-document.ts';

const [v1, v2] = [
  { id: 'v1', file: 'v1.gguf', ttl: '5m' },
  { id: 'v2', file: 'v2.gguf' },
];
const models = [v1, v2];
const all = (model: string) => [{ model, weight: 1 }];
const split = [
  { model: 'v1', weight: 90 },
  { model: 'v2', weight: 10 },
];
const latest = (targets: readonly WrittenTarget[], previous?: readonly WrittenTarget[] | null) =>
  ({
    models,
    aliases: [{ name: 'latest', targets, ...(previous !== undefined && { previous }) }],
  }) satisfies RegistryDocument;
const plain: RegistryDocument = { models, aliases: [] };

describe('models', () => {
  it('a model is added, unless its name is used', () => {
    const v3 = { id: 'v3', hf: 'u/r' };
    expect(addModel(plain, v3).models).toEqual([v1, v2, v3]);
    expect(() => addModel(plain, { id: 'v1' })).toThrow('model "v1" already exists: choose another id');
    expect(() => addModel(latest(all('v1')), { id: 'latest' })).toThrow('"latest" is an alias');
  });

  it('a model is removed, unless an alias points at it', () => {
    expect(removeModel(plain, 'v1').models).toEqual([v2]);
    expect(() => removeModel(latest(split), 'v2')).toThrow(
      'the alias "latest" points at model "v2": choose another model for it first',
    );
    expect(() => removeModel(plain, 'v11')).toThrow('no model "v11": did you mean "v1"?');
    expect(() => removeModel(plain, 'else')).toThrow('no model "else": see "corral models list"');
  });

  it('a removed model can no longer be rolled back to', () => {
    expect(removeModel(latest(all('v2'), all('v1')), 'v1')).toEqual({
      models: [v2],
      aliases: [{ name: 'latest', targets: all('v2'), previous: null }],
    });
  });

  it('a pin is set and removed; everything else stays as it was written', () => {
    const pinned = setPin(plain, 'v1', true);
    expect(pinned.models).toEqual([{ ...v1, pin: true }, v2]);
    expect(setPin(pinned, 'v1', false)).toEqual(plain);
  });
});

describe('aliases', () => {
  it('an alias is created, and changed so that the change can be rolled back', () => {
    const created = setAlias(plain, 'latest', all('v1'));
    expect(created).toEqual(latest(all('v1')));
    const changed = setAlias(created, 'latest', split);
    expect(changed).toEqual(latest(split, all('v1')));
    expect(setAlias(changed, 'latest', split)).toEqual(changed);
    expect(rollBack(changed, 'latest')).toEqual(latest(all('v1'), null));
    expect(removeAlias(changed, 'latest')).toEqual(plain);
  });

  it('an alias cannot have the name of a model, nor an unknown target', () => {
    expect(() => setAlias(plain, 'v1', all('v2'))).toThrow('"v1" is a model: choose another name');
    expect(() => setAlias(plain, 'latest', all('v3'))).toThrow('no model "v3": did you mean "v1"?');
  });

  it('a promotion points at one model, and its rollback leads back once', () => {
    const promoted = promote(latest(all('v1')), 'latest', 'v2');
    expect(promoted).toEqual(latest(all('v2'), all('v1')));
    const back = rollBack(promoted, 'latest');
    expect(back).toEqual(latest(all('v1'), null));
    expect(() => rollBack(back, 'latest')).toThrow(
      'alias "latest" has nothing to roll back to: choose a model with "corral models promote latest --to MODEL"',
    );
  });

  it('the rollback of a promoted canary leaves it no share', () => {
    expect(promote(latest(split, all('v1')), 'latest', 'v2')).toEqual(
      latest(all('v2'), [{ model: 'v1', weight: 90 }]),
    );
  });

  it('a promotion that is repeated changes nothing', () => {
    const promoted = promote(latest(all('v1')), 'latest', 'v2');
    expect(promote(promoted, 'latest', 'v2')).toBe(promoted);
  });

  it('a promotion over a target without weight keeps what could be rolled back to', () => {
    const idle = [{ model: 'v1', weight: 0 }, ...all('v2')];
    expect(promote(latest(idle, all('v1')), 'latest', 'v2')).toEqual(latest(all('v2'), all('v1')));
  });

  it('an unknown alias or model is named', () => {
    expect(() => promote(latest(all('v1')), 'latst', 'v2')).toThrow(
      'no alias "latst": did you mean "latest"?',
    );
    expect(() => promote(plain, 'latest', 'v2')).toThrow(
      'no alias "latest": create it with "corral models alias latest MODEL"',
    );
    expect(() => promote(latest(all('v1')), 'latest', 'v9')).toThrow('no model "v9": did you mean "v1"?');
  });
});
