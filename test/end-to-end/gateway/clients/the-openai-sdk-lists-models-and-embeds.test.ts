import { APIError, NotFoundError } from 'openai';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
let embedding: Demo;
beforeAll(async () => {
  [demo, embedding] = await Promise.all([
    startDemo({ env: { MODEL_ALIAS: 'demo-large,demo-small,acme/demo' } }),
    // With more slots, builds of August 2026 get the first of several inputs wrong; the gateway does the same in both cases.
    startDemo({ llama: { slots: 1, args: ['--embeddings', '--pooling', 'mean'] } }),
  ]);
});
afterAll(async () => {
  await demo.stop();
  await embedding.stop();
});

it('the OpenAI SDK lists the models by their public names', async () => {
  const { openai } = connectOpenAI(demo);
  const ids = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  expect(ids).toEqual(['demo-large', 'demo-small', 'acme/demo']);
});

it('the OpenAI SDK gets one model', async () => {
  const { openai } = connectOpenAI(demo);
  expect(await openai.models.retrieve('demo-small')).toMatchObject({ id: 'demo-small', object: 'model' });
});

it('a model has its context size, its inputs and its metadata', async () => {
  const { openai } = connectOpenAI(demo);
  const { data } = await openai.models.list();
  for (const model of [...data, await openai.models.retrieve('acme/demo')]) {
    expect(model).toMatchObject({
      context_length: 8192,
      architecture: { input_modalities: ['text'], output_modalities: ['text'] },
      status: 'loaded',
      meta: { n_ctx: 8192, n_params: expect.any(Number), size: expect.any(Number) },
    });
  }
});

it.each(['acme/demo', 'acme%2Fdemo', 'acme%2fdemo', 'acme/demo?limit=1'])(
  'a name with a slash is found at /v1/models/%s and without /v1',
  async (path) => {
    for (const base of [demo.baseURL, demo.corral.origin]) {
      const headers = { authorization: `Bearer ${demo.apiKey}` };
      const response = await fetch(`${base}/models/${path}`, { headers });
      expect([response.status, await response.json()]).toMatchObject([
        200,
        { id: 'acme/demo', object: 'model' },
      ]);
    }
  },
);

it("the list of models contains the engine's own list", async () => {
  const headers = { authorization: `Bearer ${demo.apiKey}` };
  const { models } = (await (await fetch(`${demo.baseURL}/models`, { headers })).json()) as {
    models: { name: string; capabilities: string[] }[];
  };
  const { address, apiKey } = demo.engine.backend;
  const engine = new Client(address.origin, address.socketPath ? { socketPath: address.socketPath } : {});
  const direct = await engine.request({
    method: 'GET',
    path: '/v1/models',
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const [listed] = ((await direct.body.json()) as { models: { name: string; model: string }[] }).models;
  await engine.close();
  expect(models[0]).toEqual({ ...listed, name: 'demo-large', model: 'demo-large' });
});

it('a model has a status while it loads, sleeps or has failed', async () => {
  await using fakeBackend = await startFakeBackend((_, response) => response.end('{}'));
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env: { MODEL_ALIAS: 'demo' } });
  const { openai } = connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret });
  const found = async () => (await openai.models.retrieve('demo')) as { status?: string; meta?: object };
  expect((await found()).status).toBe('loaded');
  fakeBackend.health = 503;
  await waitFor('the model to load', async () => (await found()).status === 'loading');
  fakeBackend.props = { ...fakeBackend.props, is_sleeping: true };
  fakeBackend.health = 200;
  await waitFor('the model to sleep', async () => (await found()).status === 'sleeping');
  expect((await found()).meta).toBeUndefined();
});

it('an error names the model that does not exist', async () => {
  const { openai } = connectOpenAI(demo);
  const error = await openai.models.retrieve('gpt-4o').catch((it) => it);
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
  expect(error.message).toContain("'gpt-4o'");
});

it('the OpenAI SDK embeds texts, and equal texts equally', async () => {
  const { openai } = connectOpenAI(embedding);
  const { data } = await openai.embeddings.create({ model: 'demo', input: ['horse', 'gate', 'horse'] });
  expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
  const [first, second, third] = data.map((it) => it.embedding);
  expect(first?.length).toBeGreaterThan(100);
  expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 3);
  expect(third).toEqual(first);
  expect(second).not.toEqual(first);
});

it('embeddings as numbers are equal to those in base64, the default of the SDK', async () => {
  const { openai, wire } = connectOpenAI(embedding);
  const request = { model: 'demo', input: 'horse' };
  const inBase64 = await openai.embeddings.create(request);
  expect(wire.last.text).toContain('"embedding":"');
  const inNumbers = await openai.embeddings.create({ ...request, encoding_format: 'float' });
  const [a, b] = [inBase64, inNumbers].map(({ data }) => data[0]?.embedding ?? []);
  expect(a).toHaveLength(b?.length ?? 0);
  for (const [place, value] of (a ?? []).entries()) expect(value).toBeCloseTo(b?.[place] ?? Number.NaN, 5);
});

it('the response has the served name of the model, whatever the request named', async () => {
  const { openai } = connectOpenAI(embedding);
  for (const model of ['gpt-4o', 'demo', 'x"y']) {
    expect((await openai.embeddings.create({ model, input: 'horse' })).model).toBe('demo');
  }
});

it("the size of embeddings may be the model's own, and no other", async () => {
  const { openai, wire } = connectOpenAI(embedding, { maxRetries: 2 });
  const params = { model: 'demo', input: 'horse', encoding_format: 'float' as const };
  const [direct] = (await openai.embeddings.create(params)).data;
  const dimensions = direct?.embedding.length ?? 0;
  expect((await openai.embeddings.create({ ...params, dimensions })).data[0]?.embedding).toHaveLength(
    dimensions,
  );
  const before = wire.responses.length;
  const error = await openai.embeddings.create({ ...params, dimensions: 8 }).catch((it) => it);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: 400, code: 'invalid_value', param: 'dimensions' });
  expect(error.message).toContain(`expected ${dimensions}, the size of this model's embeddings`);
  expect(wire.responses).toHaveLength(before + 1);
});

it('a request with dimensions gets a retryable error while the size of embeddings is unknown', async () => {
  await using fakeBackend = await startFakeBackend((_, response) => response.end('{}'));
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env: { MODEL_ALIAS: 'demo' } });
  const { openai } = connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret });
  fakeBackend.health = 503;
  await waitFor('the model to load', () => corral.gateway.monitor.status === 'loading');
  const params = { model: 'demo', input: 'horse', dimensions: 256 };
  expect(await openai.embeddings.create(params).catch((it) => it)).toMatchObject({
    status: 503,
    code: 'model_loading',
  });
  expect(fakeBackend.received).toEqual([]);
});

it('the error of a model without embeddings is not retried', async () => {
  const { openai, wire } = connectOpenAI(demo, { maxRetries: 2 });
  const error = await openai.embeddings.create({ model: 'demo', input: 'horse' }).catch((it) => it);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: 501, code: 'not_supported' });
  expect(error.message).toContain('does not support embeddings');
  expect(wire.responses).toHaveLength(1);
});
