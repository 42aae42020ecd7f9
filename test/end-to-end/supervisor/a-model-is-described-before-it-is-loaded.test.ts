import { afterAll, beforeAll, expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const names = ['guide', 'tales', 'embeddings', 'rerank'] as const;
const kinds = { guide: 'chat', tales: 'chat', embeddings: 'embeddings', rerank: 'rerank' } as const;

let models: ServedModels;
beforeAll(async () => {
  const records = names.map(async (name) => ({
    ...{ id: name, path: await demoModelFile(name), kind: kinds[name], ctx: 512, parallel: 2 },
  }));
  models = await startServedModels({ models: await Promise.all(records) }, { MEMORY_BUDGET: '8GiB' });
  await models.deployment.reachesStatus('ready');
});
afterAll(() => models?.[Symbol.asyncDispose]());

interface Described {
  readonly id: string;
  readonly status: string;
  readonly meta?: Readonly<Record<string, number>>;
}

async function describeModels(): Promise<readonly Described[]> {
  const response = await fetch(`${models.origin}/v1/models`);
  return ((await response.json()) as { data: readonly Described[] }).data;
}

const inputs = {
  chat: ['/v1/chat/completions', { messages: [{ role: 'user', content: 'hay' }], max_tokens: 1 }],
  embeddings: ['/v1/embeddings', { input: 'hay' }],
  rerank: ['/v1/rerank', { query: 'hay', documents: ['hay'] }],
} as const;

it('GET /v1/models has the same of a model before its load, while it is loaded, and after it', async () => {
  const before = await describeModels();
  expect(before.map(({ id, status }) => [id, status])).toEqual(names.map((name) => [name, 'unloaded']));
  for (const { meta } of before)
    expect(Object.keys(meta ?? {}).toSorted()).toEqual(
      ['n_ctx', 'n_ctx_train', 'n_embd', 'n_params', 'n_vocab', 'size'].toSorted(),
    );
  for (const name of names) {
    const [path, body] = inputs[kinds[name]];
    expect((await models.post(path, { model: name, ...body })).status).toBe(200);
  }
  const loaded = await waitFor('all of them to be loaded', async () => {
    const described = await describeModels();
    return described.every(({ status }) => status === 'loaded') && described;
  });
  expect(loaded.map(({ id, meta }) => ({ id, meta }))).toEqual(before.map(({ id, meta }) => ({ id, meta })));
  const pid = await models.pidOf('tales');
  killProcess(pid, 'SIGKILL');
  await waitFor('its end', async () => !models.pidsOf('tales').includes(pid));
  expect((await describeModels())[1]?.meta).toEqual(before[1]?.meta);
});

it('says what each kind of model gives', async () => {
  const response = await fetch(`${models.origin}/v1/models`);
  const { data, models: ofOllama } = (await response.json()) as {
    data: { id: string; architecture: object }[];
    models: { name: string; capabilities: string[] }[];
  };
  const outputs = { chat: 'text', embeddings: 'embeddings', rerank: 'rerank' };
  const capabilities = { chat: 'completion', embeddings: 'embedding', rerank: 'rerank' };
  expect(data.map(({ id, architecture }) => ({ id, architecture }))).toEqual(
    names.map((id) => ({
      id,
      architecture: { input_modalities: ['text'], output_modalities: [outputs[kinds[id]]] },
    })),
  );
  expect(ofOllama.map((model) => [model.name, model.capabilities])).toEqual(
    names.map((id) => [id, [capabilities[kinds[id]]]]),
  );
});
