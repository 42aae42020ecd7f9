import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiContract } from '../../harness/api-contract.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const keys = keyFileText({ ops: { secret: opsSecret, scopes: ['admin'] } });
const GiB = 1024 ** 3;
const fake = { file: 'ready', limits: { memory: GiB } };

let models: ModelsDeployment;
let contract: ApiContract;
beforeAll(async () => {
  models = await startModels({
    fakes: true,
    gatewayKeys: keys,
    models: [
      { id: 'a', ...fake, pin: true },
      { id: 'org/b:q4', ...fake },
      { id: 'c', ...fake, listed: false },
      { id: 'e', ...fake, kind: 'embeddings' },
    ],
    env: { MEMORY_BUDGET: '8GiB' },
  });
  await models.reaches('a', 'loaded');
  const { gatewayPort } = models.deployment;
  const origin = `http://127.0.0.1:${gatewayPort}`;
  await waitFor('the gateway', async () => (await fetch(`${origin}/livez`)).ok);
  contract = new ApiContract((await (await fetch(`${origin}/openapi.json`)).json()) as object);
});
afterAll(() => models[Symbol.asyncDispose]());

interface Reply {
  readonly status: number;
  readonly body: {
    readonly [field: string]: unknown;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

/** Sends a request with the key of an administrator. What is received has to be in the API reference. */
async function call(request: string, body?: unknown, to = models.deployment): Promise<Reply> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`http://127.0.0.1:${to.gatewayPort}${path}`, {
    method,
    headers: { 'x-api-key': opsSecret },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  const contentType = headers.get('content-type') ?? '';
  // The document does not list the methods that do not exist.
  if (status !== 405)
    expect(contract.breaches({ method, path, status, contentType, text, headers })).toEqual([]);
  return { status, body: JSON.parse(text) };
}

const written = async () =>
  JSON.parse(await readFile(join(models.deployment.folder, 'data/models.json'), 'utf8'));

it('GET /admin/models lists all models with their memory', async () => {
  const { status, body } = await call('GET /admin/models');
  expect(status).toBe(200);
  expect(body).toMatchObject({ aliases: [], memoryBudget: 8 * GiB, problem: null });
  expect(body.models).toMatchObject([
    { id: 'a', kind: 'chat', status: 'loaded', pin: true, memory: GiB, slots: { total: 2 } },
    { id: 'org/b:q4', kind: 'chat', status: 'unloaded', pin: false, listed: true },
    { id: 'c', listed: false },
    { id: 'e', kind: 'embeddings' },
  ]);
  expect(JSON.stringify(body)).not.toMatch(/apiKey|address|\.sock/);
});

describe('POST /admin/models/{id}/…', () => {
  it('load loads a model, whose id may contain slashes', async () => {
    expect(await call('POST /admin/models/org%2Fb%3Aq4/load')).toMatchObject({
      status: 202,
      body: { id: 'org/b:q4', action: 'load' },
    });
    await models.reaches('org/b:q4', 'loaded');
  });

  it('unload unloads it again', async () => {
    expect((await call('POST /admin/models/org%2Fb%3Aq4/unload')).status).toBe(202);
    await models.reaches('org/b:q4', 'unloaded');
  });

  it('restart of a model that is not loaded loads it', async () => {
    expect((await call('POST /admin/models/c/restart')).status).toBe(202);
    await models.reaches('c', 'loaded');
  });

  it.each([
    ['a/unload', 409, 'model_change_rejected', 'a is pinned: unpin it first'],
    ['none/load', 404, 'model_not_found', "The model 'none' does not exist"],
    ['..%2Fa/load', 404, 'model_not_found', "The model '../a'"],
  ])('%s is %d %s', async (path, status, code, message) => {
    const reply = await call(`POST /admin/models/${path}`);
    expect([reply.status, reply.body.error?.code]).toEqual([status, code]);
    expect(reply.body.error?.message).toContain(message);
  });

  it('other methods are not allowed', async () => {
    expect((await call('GET /admin/models/a/load')).status).toBe(405);
    expect((await call('POST /admin/models')).status).toBe(405);
  });
});

it('the metrics tell what is loaded, and how long it took', async () => {
  const origin = `http://127.0.0.1:${models.deployment.gatewayPort}`;
  await waitFor('the last load to be counted', async () => {
    const page = await (await fetch(`${origin}/metrics`)).text();
    return page.includes('corral_model_loads_total{model="c"} 1');
  });
  const page = await (await fetch(`${origin}/metrics`)).text();
  for (const line of [
    'corral_model_status{model="a",status="loaded"} 1',
    'corral_model_status{model="e",status="unloaded"} 1',
    `corral_model_memory_bytes{model="e"} ${GiB}`,
    `corral_memory_budget_bytes ${8 * GiB}`,
    'corral_model_loads_total{model="e"} 0',
  ])
    expect(page).toContain(`${line}\n`);
  expect(page).toMatch(/corral_model_loads_seconds_total\{model="a"\} (?!0\n)\d+(?:\.\d+)?\n/);
});

describe('/admin/aliases/{name}', () => {
  it('is created, changed, promoted and rolled back in models.json', async () => {
    const before = { name: 'org/latest', targets: [{ model: 'a', weight: 1 }], previous: null };
    expect(await call('PUT /admin/aliases/org%2Flatest', { targets: [{ model: 'a' }] })).toEqual({
      status: 200,
      body: before,
    });
    const canary = [
      { model: 'a', weight: 90 },
      { model: 'c', weight: 10 },
    ];
    const changed = await call('PUT /admin/aliases/org/latest', { targets: canary });
    expect(changed.body).toEqual({ ...before, targets: canary, previous: before.targets });
    await waitFor('the change to apply', async () => {
      const [alias] = (await call('GET /admin/models')).body.aliases as { targets: object[] }[];
      return alias?.targets.length === 2;
    });
    const effective = canary.map((target) => ({
      ...{ ...target, effectiveWeight: target.weight, suspended: null },
    }));
    expect((await call('GET /admin/models')).body.aliases).toEqual([
      { ...before, targets: effective, previous: before.targets },
    ]);
    const promoted = await call('POST /admin/aliases/org%2Flatest/promote', { to: 'c' });
    expect(promoted.body).toMatchObject({ targets: [{ model: 'c', weight: 1 }] });
    expect((await written()).aliases).toMatchObject([{ name: 'org/latest', targets: [{ model: 'c' }] }]);
    const back = await call('POST /admin/aliases/org%2Flatest/rollback');
    expect(back.body).toEqual({ name: 'org/latest', targets: [{ model: 'a', weight: 90 }], previous: null });
    const again = await call('POST /admin/aliases/org%2Flatest/rollback');
    expect([again.status, again.body.error?.code]).toEqual([409, 'model_change_rejected']);
    expect(again.body.error?.message).toContain('nothing to roll back to');
  });

  it.each([
    ['PUT latest', undefined, 'expected an object with targets'],
    ['PUT latest', [], 'expected an object with targets'],
    ['PUT latest', {}, 'targets: is missing'],
    ['PUT latest', { targets: [] }, 'targets: is empty'],
    ['PUT a', { targets: [{ model: 'c' }] }, '"a" is already the name of models[0].id'],
    ['PUT latest', { targets: [{ model: 'a', weight: 0 }] }, 'the weights add up to 0'],
    ['PUT latest', { targets: [{ model: 'a' }, { model: 'e' }] }, 'the kinds chat and embeddings'],
    ['PUT ..%2Flatest', { targets: [{ model: 'a' }] }, 'name: invalid value "../latest"'],
    ['PUT latest', { targets: [{ model: '../../etc/passwd' }] }, 'targets[0].model: invalid value'],
    ['PUT latest', { targets: [{ model: 'a', path: '/etc/passwd' }] }, 'targets[0].path: unknown field'],
    ['POST org%2Flatest/promote', { to: 'd' }, 'to: no model "d"'],
    ['POST org%2Flatest/promote', { to: 1, path: '/x' }, '2 problems): path: unknown field'],
  ])('%s %j is rejected and changes nothing', async (request, body, message) => {
    const before = await written();
    const [method, path] = request.split(' ');
    const reply = await call(`${method} /admin/aliases/${path}`, body);
    expect([reply.status, reply.body.error?.code]).toEqual([400, 'invalid_value']);
    expect(reply.body.error?.message).toContain(message);
    expect(await written()).toEqual(before);
  });

  it('all mistakes are named at once', async () => {
    const targets = [{ model: 'a', weight: -1 }, { model: 'd' }, { model: 'a' }];
    const { error } = (await call('PUT /admin/aliases/latest', { targets, previous: null })).body;
    expect(error?.message).toContain('4 problems');
    for (const place of ['previous:', 'targets[0].weight:', 'targets[1].model:', 'targets[2].model:'])
      expect(error?.message).toContain(place);
  });

  it.each(['promote', 'rollback'])('may have a name that ends in /%s', async (ending) => {
    const name = `team/${ending}`;
    const created = await call(`PUT /admin/aliases/${name}`, { targets: [{ model: 'a' }] });
    expect(created).toMatchObject({ status: 200, body: { name } });
    const promoted = await call(`POST /admin/aliases/${name}/promote`, { to: 'c' });
    expect(promoted).toMatchObject({ status: 200, body: { name, targets: [{ model: 'c' }] } });
    const back = await call(`POST /admin/aliases/${name}/rollback`);
    expect(back).toMatchObject({ status: 200, body: { name, targets: [{ model: 'a' }] } });
    expect((await call(`GET /admin/aliases/${name}`)).status).toBe(405);
  });

  it.each(['/etc/passwd', '../outside.gguf', '..%2f..%2foutside', 'a\0.gguf'])(
    'a path is no model: %j is neither loaded nor a target',
    async (path) => {
      const aliased = await call('PUT /admin/aliases/path', { targets: [{ model: path }] });
      expect(aliased).toMatchObject({ status: 400, body: { error: { code: 'invalid_value' } } });
      const loaded = await call(`POST /admin/models/${encodeURIComponent(path)}/load`);
      expect(loaded).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
      const { aliases } = (await call('GET /admin/models')).body;
      expect(aliases).not.toContainEqual(expect.objectContaining({ name: 'path' }));
      expect(await models.model('a')).toMatchObject({ status: 'loaded', restarts: 0 });
    },
  );

  it('an unknown alias is 404, and text that is no JSON is 400', async () => {
    const unknown = await call('POST /admin/aliases/none/promote', { to: 'a' });
    expect([unknown.status, unknown.body.error?.code]).toEqual([404, 'model_not_found']);
    expect((await call('POST /admin/aliases/none/rollback')).status).toBe(404);
    expect((await call('PUT /admin/aliases/latest', '{')).body.error?.code).toBe('invalid_json');
    expect((await call('GET /admin/aliases/latest')).status).toBe(405);
  });
});

it('a models.json with mistakes is not changed, and GET /admin/models reports what is wrong', async () => {
  const file = join(models.deployment.folder, 'data/models.json');
  const before = await readFile(file, 'utf8');
  await writeFile(file, '{"version":1,"models":[{"id":"a"}]}');
  const reply = await call('PUT /admin/aliases/latest', { targets: [{ model: 'a' }] });
  expect([reply.status, reply.body.error?.code]).toEqual([422, 'models_file_unusable']);
  const { body } = await call('GET /admin/models');
  expect(body.problem).toContain('models[0]: has no source');
  expect(body.models).toMatchObject([{ id: 'a', status: 'loaded' }, {}, {}, {}]);
  await writeFile(file, before);
});

it('with one model, it is listed, and nothing else is possible', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/keys.json'), keys, { mode: 0o600 });
  await using deployment = await startDeployment({ folder, env: { GATEWAY_PROGRAM: '' } });
  await deployment.reachesStatus('ready');
  const ask = (request: string, body?: unknown) => call(request, body, deployment);
  const listed = await waitFor('the gateway to see the engine', async () => {
    const { body } = await ask('GET /admin/models');
    return JSON.stringify(body).includes('"slots":{"total":2') && body;
  });
  expect(listed).toMatchObject({
    models: [{ id: 'ready', status: 'loaded', pin: true, slots: { total: 2 } }],
    aliases: [],
    memoryBudget: null,
    problem: null,
  });
  for (const [request, body] of [
    ['POST /admin/models/ready/unload', undefined],
    ['PUT /admin/aliases/latest', { targets: [{ model: 'ready' }] }],
    ['POST /admin/aliases/latest/rollback', undefined],
  ] as const) {
    const reply = await ask(request, body);
    expect([request, reply.status, reply.body.error?.code]).toEqual([request, 409, 'model_change_rejected']);
    expect(reply.body.error?.message).toContain('one model');
  }
});
