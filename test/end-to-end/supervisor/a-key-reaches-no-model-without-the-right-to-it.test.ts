import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiRoute, apiRoutes } from '../../../gateway/api/route-table.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz0123`;
const keysWith = (modelsOfOne: readonly string[]) =>
  keyFileText({
    all: { secret: secretOf('all'), scopes: ['inference', 'native'] },
    one: { secret: secretOf('one'), scopes: ['inference', 'native'], models: modelsOfOne },
    none: { secret: secretOf('none'), scopes: ['inference', 'native'], models: [] },
  });

let folder: TemporaryFolder;
let models: ServedModels;
beforeAll(async () => {
  folder = await temporaryFolder();
  writeFileSync(folder.file('keys.json'), keysWith(['tales']), { mode: 0o600 });
  models = await startServedModels(
    {
      models: [
        { id: 'chat', path: await demoModelFile('guide') },
        { id: 'tales', path: await demoModelFile('tales') },
        { id: 'embeddings', path: await demoModelFile('embeddings'), kind: 'embeddings', ctx: 512 },
        { id: 'rerank', path: await demoModelFile('rerank'), kind: 'rerank', ctx: 512 },
      ],
      aliases: [
        { name: 'chat-latest', targets: [{ model: 'chat' }] },
        { name: 'embeddings-latest', targets: [{ model: 'embeddings' }] },
        { name: 'rerank-latest', targets: [{ model: 'rerank' }] },
        { name: 'both', targets: [{ model: 'chat', weight: 99 }, { model: 'tales' }] },
      ],
    },
    { AUTH_ENABLED: 'true', AUTH_KEYS_FILE: folder.file('keys.json'), MEMORY_BUDGET: '8GiB' },
  );
  await models.deployment.reachesStatus('ready');
});
afterAll(async () => {
  await models?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** The field that each route needs. */
const inputs: Readonly<Record<string, object>> = {
  '/v1/completions': { prompt: 'hay' },
  '/v1/embeddings': { input: 'hay' },
  '/v1/rerank': { query: 'hay', documents: ['hay', 'oats'] },
  '/v1/responses': { input: 'hay' },
  '/v1/responses/input_tokens': { input: 'hay' },
  '/v1/audio/transcriptions': {},
  '/completion': { prompt: 'hay' },
  '/infill': { input_prefix: 'hay', input_suffix: '' },
  '/tokenize': { content: 'hay' },
  '/detokenize': { tokens: [300] },
};
/** The demo model has neither audio nor the tokens to fill in a text: its engine rejects the request. */
const unsupported = ['/v1/audio/transcriptions', '/infill'];
const chatInput = { messages: [{ role: 'user', content: 'hay' }] };

const kindOf = ({ upstream }: ApiRoute) =>
  upstream === '/v1/embeddings' ? 'embeddings' : upstream === '/v1/rerank' ? 'rerank' : 'chat';

const routes = apiRoutes.flatMap((route) => route.paths.map((path) => ({ path, route })));

async function send(key: string, path: string, route: ApiRoute, model: string) {
  const body = { model, max_tokens: 1, ...(inputs[route.upstream] ?? chatInput) };
  const response = await models.post(path, body, { 'x-api-key': secretOf(key) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function expectRejected(answer: Awaited<ReturnType<typeof send>>, { dialect }: ApiRoute, name: string) {
  const message = expect.stringContaining(`'${name}'`);
  const error =
    dialect === 'anthropic'
      ? { type: 'permission_error', message }
      : { type: 'permission_error', code: 'model_not_allowed', param: 'model', message };
  expect(answer).toMatchObject({ status: 403, body: { error } });
}

// First, so that no model is loaded yet.
describe.each(routes)('$path', ({ path, route }) => {
  const kind = kindOf(route);

  it.each(['one', 'none'])(
    'rejects the model, and an alias that leads only to it, for the key %s',
    async (key) => {
      expectRejected(await send(key, path, route, kind), route, kind);
      expectRejected(await send(key, path, route, `${kind}-latest`), route, `${kind}-latest`);
    },
  );
});

it('a rejected request loads no model', async () => {
  for (const id of ['chat', 'tales', 'embeddings', 'rerank'])
    expect(await models.model(id)).toMatchObject({ status: 'unloaded', loads: 0 });
});

it('a form with the name of the model is rejected as well', async () => {
  const form = new FormData();
  form.set('model', 'chat');
  form.set('file', new Blob(['RIFF']), 'a.wav');
  const response = await fetch(`${models.origin}/v1/audio/transcriptions`, {
    ...{ method: 'POST', body: form, headers: { 'x-api-key': secretOf('one') } },
  });
  expect([response.status, await response.json()]).toMatchObject([
    403,
    { error: { code: 'model_not_allowed' } },
  ]);
});

it.each(routes)('$path serves a key with the right', async ({ path, route }) => {
  const { status, body } = await send('all', path, route, kindOf(route));
  const answer = JSON.stringify(body);
  if (unsupported.includes(route.upstream)) expect(answer).toContain('not_supported');
  else expect([status, answer]).toEqual([200, expect.any(String)]);
});

describe('GET /v1/models', () => {
  const get = async (key: string, path: string) => {
    const response = await fetch(`${models.origin}${path}`, { headers: { 'x-api-key': secretOf(key) } });
    return { status: response.status, body: (await response.json()) as { data?: { id: string }[] } };
  };
  const listed = async (key: string) => (await get(key, '/v1/models')).body.data?.map(({ id }) => id);

  it('lists the models of the key, and the aliases that lead to one of them', async () => {
    expect(await listed('one')).toEqual(['tales', 'both']);
    expect(await listed('none')).toEqual([]);
  });

  it('does not know the others by their id either', async () => {
    for (const id of ['tales', 'both']) expect((await get('one', `/v1/models/${id}`)).status).toBe(200);
    for (const id of ['chat', 'embeddings', 'rerank', 'chat-latest', 'nobody'])
      expect(await get('one', `/v1/models/${id}`)).toMatchObject({
        status: 404,
        body: { error: { code: 'model_not_found' } },
      });
  });
});

it('an alias with a model of the key leads there, whatever its weight', async () => {
  const [chat] = apiRoutes;
  if (chat === undefined) throw new Error('no route');
  for (let n = 0; n < 5; n++)
    expect(await send('one', '/v1/chat/completions', chat, 'both')).toMatchObject({
      status: 200,
      body: { model: 'tales' },
    });
});

it('a change of the rights applies live', async () => {
  const [chat] = apiRoutes;
  if (chat === undefined) throw new Error('no route');
  const statusFor = async (model: string) => (await send('one', '/v1/chat/completions', chat, model)).status;
  writeFileSync(folder.file('keys.json'), keysWith(['chat']), { mode: 0o600 });
  await waitFor('the new right', async () => (await statusFor('chat')) === 200);
  expect([await statusFor('chat-latest'), await statusFor('tales')]).toEqual([200, 403]);
});
