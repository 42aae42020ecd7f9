import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { expectedEmbedding, expectedScore } from '../../services/demo-model-values.ts';
import { demoModelFile } from '../../services/demo-models.ts';

let models: ServedModels;
let openai: OpenAI;

beforeAll(async () => {
  const file = async (name: 'guide' | 'tales' | 'embeddings' | 'rerank') => ({
    path: await demoModelFile(name),
  });
  models = await startServedModels(
    {
      models: [
        { id: 'guide', ...(await file('guide')), pin: true, parallel: 2 },
        { id: 'tales', ...(await file('tales')), parallel: 2 },
        { id: 'embed', ...(await file('embeddings')), kind: 'embeddings', ctx: 512 },
        { id: 'rank', ...(await file('rerank')), kind: 'rerank', ctx: 512 },
      ],
      aliases: [{ name: 'latest', targets: [{ model: 'tales' }] }],
    },
    { MEMORY_BUDGET: '8GiB' },
  );
  await models.deployment.reachesStatus('ready');
  openai = new OpenAI({ baseURL: `${models.origin}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => models?.[Symbol.asyncDispose]());

describe('one base URL', () => {
  it('serves chat, embeddings and rerank, each by its model, which its first request loads', async () => {
    expect(await models.chat('guide', 'Tell me about models')).toBe(storyText('models'));
    const tale = await openai.chat.completions.create({
      model: 'tales',
      messages: [{ role: 'user', content: 'Tell me a tale' }],
    });
    expect(tale.model).toBe('tales');
    expect(tale.choices[0]?.message.content).toBe(taleText('tales'));
    const { data, model } = await openai.embeddings.create({ model: 'embed', input: ['hay', 'a stable'] });
    expect(model).toBe('embed');
    expect(data.map(({ embedding }) => embedding.length)).toEqual([
      expectedEmbedding('hay').length,
      expectedEmbedding('a stable').length,
    ]);
    const response = await models.post('/v1/rerank', {
      model: 'rank',
      query: 'hay',
      documents: ['hay', 'oats'],
    });
    const { results } = (await response.json()) as { results: { index: number; relevance_score: number }[] };
    for (const { index, relevance_score: score } of results)
      expect(score).toBeCloseTo(expectedScore('hay', ['hay', 'oats'][index] ?? ''), 2);
    // Models that generate nothing are not expected to generate a test token.
    expect(models.deployment.output()).not.toContain('did not generate a test token');
  });

  it('names the real model of an alias, and the alias in a header', async () => {
    const response = await models.post('/v1/chat/completions', {
      model: 'latest',
      messages: [{ role: 'user', content: 'A tale' }],
      max_tokens: 8,
    });
    expect(response.headers.get('x-corral-alias')).toBe('latest');
    expect(await response.json()).toMatchObject({ model: 'tales' });
  });

  it.each([
    [
      '/v1/chat/completions',
      { model: 'nobody', messages: [{ role: 'user', content: 'x' }] },
      404,
      'model_not_found',
    ],
    [
      '/v1/chat/completions',
      { model: 'embed', messages: [{ role: 'user', content: 'x' }] },
      400,
      'model_kind_mismatch',
    ],
    ['/v1/embeddings', { model: 'guide', input: 'x' }, 400, 'model_kind_mismatch'],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }, 400, 'invalid_value'],
  ])('rejects %s with %j', async (path, body, status, code) => {
    const response = await models.post(path, body);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
  });
});
