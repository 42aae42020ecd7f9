import { expect, it } from 'vitest';
import type { ModelStatus } from '../../health/supervisor-messages.ts';
import { parseRegistry } from '../../models/parse-registry.ts';
import type { EngineServices } from './engine-services.ts';
import { listDirectory } from './listed-models.ts';
import type { AliasEntry, ModelDirectory, ModelEntry } from './model-directory.ts';

const props = { contextPerSlot: 512, modalities: { vision: true, audio: false } };

function entry(
  fields: { id: string; [name: string]: unknown },
  engine?: object,
  removed = false,
): ModelEntry {
  const [record] = parseRegistry(
    JSON.stringify({ version: 1, models: [{ hf: 'u/r', ...fields }] }),
    '/',
  ).models;
  if (record === undefined) throw new Error('no record');
  const status: ModelStatus = engine ? 'loaded' : 'unloaded';
  const state = { id: record.id, status, loadProgress: null, failure: null, pin: false, removed };
  return { record, state, engines: engine ? [engine as EngineServices] : [] };
}

const target = (model: string, effectiveWeight: number) => ({
  ...{ model, weight: 1, effectiveWeight, suspended: undefined },
});
const alias = (name: string, ...targets: AliasEntry['targets']): AliasEntry => ({ name, targets });

const loaded = {
  monitor: { status: 'ready', props },
  modelMeta: { read: async () => ({ n_params: 7 }) },
};
const directory: ModelDirectory = {
  models: [
    entry({ id: 'a', kind: 'embeddings' }, loaded),
    entry({ id: 'b', ctx: 4096, mmproj: '/p' }),
    entry({ id: 'hidden', listed: false }),
    entry({ id: 'gone' }, undefined, true),
  ],
  aliases: [alias('latest', target('b', 0.1), target('hidden', 0.9)), alias('out', target('b', 0))],
};

it('describes each model, before its first load by its record', async () => {
  expect(await listDirectory(directory, undefined)).toEqual([
    { id: 'a', kind: 'embeddings', listed: true, info: { meta: { n_params: 7 }, props, status: 'loaded' } },
    {
      ...{ id: 'b', kind: 'chat', listed: true },
      info: {
        meta: undefined,
        props: { contextPerSlot: 4096, modalities: { vision: true, audio: false } },
        status: 'unloaded',
      },
    },
    expect.objectContaining({ id: 'hidden', listed: false }),
    expect.objectContaining({
      id: 'latest',
      listed: true,
      targets: [
        { model: 'hidden', weight: 0.9 },
        { model: 'b', weight: 0.1 },
      ],
    }),
  ]);
});

it.each([
  [['*'], ['a', 'b', 'hidden', 'latest']],
  [['b'], ['b', 'latest']],
  [['a'], ['a']],
  [['latest'], []],
])('a key for %j sees %j', async (models, names) => {
  const listed = await listDirectory(directory, { models });
  expect(listed.map(({ id }) => id)).toEqual(names);
});
