import { writeFileSync } from 'node:fs';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ApiContract } from '../../harness/api-contract.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz0123`;
const keys = keyFileText({
  all: { secret: secretOf('all') },
  one: { secret: secretOf('one'), models: ['org/small'] },
  ops: { secret: secretOf('ops'), scopes: ['admin'] },
});

let folder: TemporaryFolder;
let served: ServedModels;
let contract: ApiContract;
beforeAll(async () => {
  folder = await temporaryFolder();
  writeFileSync(folder.file('keys.json'), keys, { mode: 0o600 });
  const path = inject('demoModel');
  served = await startServedModels(
    {
      models: [
        { id: 'large', path, ctx: 1024, parallel: 2, pin: true },
        { id: 'org/small', path, ctx: 512, parallel: 1 },
        { id: 'hidden', path, ctx: 512, parallel: 1, listed: false },
        { id: 'vectors', path, ctx: 512, kind: 'embeddings' },
      ],
      aliases: [
        { name: 'latest', targets: [{ model: 'large', weight: 3 }, { model: 'org/small' }] },
        { name: 'stable', targets: [{ model: 'large' }] },
      ],
    },
    { AUTH_ENABLED: 'true', AUTH_KEYS_FILE: folder.file('keys.json'), MEMORY_BUDGET: '4GiB' },
  );
  await served.reaches('large', 'loaded');
  contract = new ApiContract((await (await fetch(`${served.origin}/openapi.json`)).json()) as object);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const clientFor = (key: string) =>
  new OpenAI({ baseURL: `${served.origin}/v1`, apiKey: secretOf(key), maxRetries: 0 });

interface Listed {
  readonly id: string;
  readonly [field: string]: unknown;
}

async function listFor(key: string): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for await (const model of clientFor(key).models.list()) listed.push({ ...model });
  return listed;
}

async function get(path: string, key: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(served.origin + path, { headers: { 'x-api-key': secretOf(key), ...headers } });
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  const { pathname } = new URL(response.url);
  const received = { method: 'GET', path: pathname, status: response.status, contentType, text };
  expect(contract.breaches({ ...received, headers: response.headers })).toEqual([]);
  return { status: response.status, body: JSON.parse(text) };
}

describe('GET /v1/models', () => {
  it('lists models and aliases, loaded or not, without hidden ones', async () => {
    const listed = await waitFor('the metadata of the loaded model', async () => {
      const models = await listFor('all');
      return models[0]?.meta !== undefined && models;
    });
    expect(listed).toMatchObject([
      {
        ...{ id: 'large', object: 'model', owned_by: 'llama-corral', status: 'loaded', context_length: 1024 },
        meta: { n_ctx: 1024, n_params: expect.any(Number), n_ctx_train: expect.any(Number) },
        architecture: { input_modalities: ['text'] },
      },
      { id: 'org/small', status: 'unloaded', context_length: 512 },
      { id: 'vectors', status: 'unloaded' },
      {
        ...{ id: 'latest', status: 'loaded', context_length: 1024 },
        targets: [
          { model: 'large', weight: 3 },
          { model: 'org/small', weight: 1 },
        ],
      },
      { id: 'stable', targets: [{ model: 'large', weight: 1 }] },
    ]);
  });

  it('lists what the key may use, and aliases with the targets that are left', async () => {
    expect(await listFor('one')).toMatchObject([
      { id: 'org/small' },
      { id: 'latest', targets: [{ model: 'org/small', weight: 1 }] },
    ]);
  });

  it("has Anthropic's form for its clients, and pages", async () => {
    const headers = { 'anthropic-version': '2023-06-01' };
    const { body } = await get('/v1/models?limit=2', 'all', headers);
    expect(body).toMatchObject({ has_more: true, first_id: 'large', last_id: 'org/small' });
    const next = await get('/v1/models?after_id=org/small', 'all', headers);
    // The embeddings model cannot be used in Anthropic's API.
    expect(next.body.data.map(({ id }: Listed) => id)).toEqual(['latest', 'stable']);
  });

  it('gives a single model, alias or hidden model', async () => {
    expect(await clientFor('all').models.retrieve('latest')).toMatchObject({ id: 'latest' });
    expect((await get('/v1/models/org/small', 'all')).body).toMatchObject({ id: 'org/small' });
    expect((await get('/v1/models/hidden', 'all')).body).toMatchObject({ id: 'hidden' });
    for (const id of ['large', 'hidden', 'none'])
      expect((await get(`/v1/models/${id}`, 'one')).status).toBe(404);
  });
});

it('usage and metrics name the real model of a request that named an alias', async () => {
  const body = { model: 'stable', messages: [{ role: 'user' as const, content: 'keys' }], max_tokens: 3 };
  const { data, response } = await clientFor('all').chat.completions.create(body).withResponse();
  expect([data.model, response.headers.get('x-corral-alias')]).toEqual(['large', 'stable']);
  await clientFor('one').chat.completions.create({ ...body, model: 'latest' });
  const { body: report } = await get('/admin/usage?by=model', 'ops');
  expect(report).toMatchObject({
    by: 'model',
    usage: [
      { model: 'large', requests: 1, outputTokens: 3 },
      { model: 'org/small', requests: 1 },
    ],
  });
  const { body: ofOne } = await get('/admin/usage?key=one&by=model', 'ops');
  expect(ofOne.usage).toMatchObject([{ model: 'org/small', requests: 1 }]);
  const page = await (await fetch(`${served.origin}/metrics`)).text();
  expect(page).toContain('corral_output_tokens_total{model="large"} 3\n');
  expect(page).toMatch(/corral_model_slots\{model="large"\} 2\n/);
  expect(page).toContain('corral_alias_share_ratio{alias="latest",model="large"} 0.75\n');
  expect(page).toMatch(/^llamacpp:tokens_predicted_total\{model="large"\} \d+$/m);
  expect(page).toMatch(/^llamacpp:tokens_predicted_total\{model="org\/small"\} \d+$/m);
  expect(page).toContain('corral_engine_metrics_up 1\n');
  expect(page).not.toContain('model="stable"');
});
