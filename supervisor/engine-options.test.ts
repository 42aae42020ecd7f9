import { describe, expect, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import { readSettings } from '../settings/read-settings.ts';
import { type OwnModel, replicaOptions } from './engine-options.ts';

function record(fields: object): OwnModel {
  const text = JSON.stringify({ version: 1, models: [{ id: 'm', path: '/m/a.gguf', ...fields }] });
  return parseRegistry(text, '/m').models[0] as OwnModel;
}
const optionsOf = (fields: object, env: Record<string, string> = {}, replica = 0) =>
  replicaOptions(readSettings({ EXTRA_ARGS: '--no-warmup', ...env }).settings, record(fields), replica);

describe('the options of one of several engines', () => {
  it('are those of its record, else those of the variables', () => {
    const env = { CTX: '4096', PARALLEL: '3', NGL: '7', MMPROJ: '/eyes.gguf', MODEL_ALIAS: 'other' };
    expect(optionsOf({}, env)).toMatchObject({ publicName: 'm', ctx: 4096, parallel: 3, ngl: 7 });
    expect(optionsOf({ ctx: 512, parallel: 1, ngl: 0 }, env)).toMatchObject({
      ctx: 512,
      parallel: 1,
      ngl: 0,
    });
    // The files of the single model belong to no other.
    expect(optionsOf({}, env).mmproj).toBeUndefined();
  });

  it('say what kind of model it is', () => {
    expect(optionsOf({}).extraArgs).toEqual(['--no-warmup']);
    expect(optionsOf({ kind: 'embeddings' }).extraArgs).toEqual(['--embeddings', '--no-warmup']);
    expect(optionsOf({ kind: 'rerank', args: ['--rerank'] }).extraArgs).toEqual(['--no-warmup', '--rerank']);
  });

  it('share out the GPUs between replicas', () => {
    const devices = (fields: object) => [0, 1, 2].map((replica) => optionsOf(fields, {}, replica).devices);
    expect(optionsOf({}).devices).toBeUndefined();
    expect(optionsOf({ devices: [0, 1] }).devices).toEqual([0, 1]);
    expect(devices({ devices: [0, 1, 2, 3], replicas: 3 })).toEqual([[0, 3], [1], [2]]);
    expect(devices({ devices: [4, 5], replicas: 3 })).toEqual([[4], [5], [4]]);
  });
});
