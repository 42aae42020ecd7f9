import { APIError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Demo, startDemo } from '../../../scripts/harness/start-demo.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
let embedding: Demo;
beforeAll(async () => {
  [demo, embedding] = await Promise.all([
    startDemo({ env: { MODEL_ALIAS: 'demo-large,demo-small' } }),
    startDemo({ llama: { args: ['--embeddings', '--pooling', 'mean'] } }),
  ]);
});
afterAll(async () => {
  await demo.stop();
  await embedding.stop();
});

it('lists the models by their public names', async () => {
  const { openai } = connectOpenAI(demo);
  const ids = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  expect(ids).toEqual(['demo-large', 'demo-small']);
});

it('looks one model up', async () => {
  const { openai } = connectOpenAI(demo);
  expect(await openai.models.retrieve('demo-small')).toMatchObject({ id: 'demo-small', object: 'model' });
});

it('is told which model does not exist', async () => {
  const { openai } = connectOpenAI(demo);
  const error = await openai.models.retrieve('gpt-4o').catch((it) => it);
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
  expect(error.message).toContain("'gpt-4o'");
});

it('embeds texts, and the same text in the same way', async () => {
  const { openai } = connectOpenAI(embedding);
  const { data } = await openai.embeddings.create({ model: 'demo', input: ['horse', 'gate', 'horse'] });
  expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
  const [first, second, third] = data.map((it) => it.embedding);
  expect(first?.length).toBeGreaterThan(100);
  expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 3);
  expect(third).toEqual(first);
  expect(second).not.toEqual(first);
});

it('embeds as numbers just as in base64, which it asks for by itself', async () => {
  const { openai, wire } = connectOpenAI(embedding);
  const request = { model: 'demo', input: 'horse' };
  const inBase64 = await openai.embeddings.create(request);
  expect(wire.last.text).toContain('"embedding":"');
  const inNumbers = await openai.embeddings.create({ ...request, encoding_format: 'float' });
  const [a, b] = [inBase64, inNumbers].map(({ data }) => data[0]?.embedding ?? []);
  expect(a).toHaveLength(b?.length ?? 0);
  for (const [place, value] of (a ?? []).entries()) expect(value).toBeCloseTo(b?.[place] ?? Number.NaN, 5);
});

it('is told once, without a retry, that a model does not embed', async () => {
  const { openai, wire } = connectOpenAI(demo, { maxRetries: 2 });
  const error = await openai.embeddings.create({ model: 'demo', input: 'horse' }).catch((it) => it);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: 501, code: 'not_supported' });
  expect(error.message).toContain('does not support embeddings');
  expect(wire.answers).toHaveLength(1);
});
