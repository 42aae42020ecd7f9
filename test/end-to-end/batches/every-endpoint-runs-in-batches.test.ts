import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { allResults, type BatchResult, createBatchOfLines, untilEnded } from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { expectedEmbedding, expectedScore, similarity } from '../../services/demo-model-values.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const keys = 'Tell me about keys.';
const [query, document] = ['Which horse eats the hay?', 'A horse that eats hay.'];
const chat = { messages: [{ role: 'user', content: keys }], max_tokens: 800, temperature: 0 };

type Body = NonNullable<BatchResult['response']>['body'];

/** By endpoint: the model, the body of its lines, and what the answer must be. */
const cases: Readonly<Record<string, [model: string, body: object, check: (body: Body) => void]>> = {
  '/v1/chat/completions': [
    'guide',
    chat,
    ({ choices }) => expect(choices[0].message.content).toBe(storyText('keys')),
  ],
  '/v1/messages': ['guide', chat, ({ content }) => expect(content[0].text).toBe(storyText('keys'))],
  '/v1/responses': [
    'guide',
    { input: keys },
    ({ output }) => expect(output.at(-1).content[0].text).toBe(storyText('keys')),
  ],
  '/v1/completions': [
    'guide',
    { prompt: 'Once', max_tokens: 8 },
    ({ choices, usage }) => {
      expect(choices[0].text).not.toBe('');
      expect(usage.completion_tokens).toBeGreaterThan(0);
    },
  ],
  '/v1/embeddings': [
    'vectors',
    { input: query },
    ({ data }) => expect(similarity(data[0].embedding, expectedEmbedding(query))).toBeGreaterThan(0.999),
  ],
  '/v1/rerank': [
    'ranks',
    { query, documents: [document] },
    ({ results }) => expect(results[0].relevance_score).toBeCloseTo(expectedScore(query, document), 1),
  ],
};

it('the lines of every endpoint get what a client gets', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'), { recursive: true });
  const models = [
    { id: 'guide', path: await demoModelFile('guide'), ctx: 4096, parallel: 2, pin: true },
    { id: 'vectors', path: await demoModelFile('embeddings'), kind: 'embeddings', ctx: 512, parallel: 2 },
    { id: 'ranks', path: await demoModelFile('rerank'), kind: 'rerank', ctx: 512, parallel: 2 },
  ];
  writeFileSync(join(folder, 'data', 'models.json'), JSON.stringify({ version: 1, models }));
  await using product = await startBatchRunner({ folder, env: { MODEL_PATH: '', MODEL_ALIAS: '' } });
  const { store } = product;
  const run = async ([endpoint, [model, fields, check]]: [string, (typeof cases)[string]]) => {
    const line = { method: 'POST', url: endpoint, body: { model, ...fields } };
    const lines = Array.from({ length: 6 }, (_, n) => ({ custom_id: `n-${n}`, ...line }));
    const ended = await untilEnded(store, await createBatchOfLines(store, lines, { endpoint }));
    const results = await allResults(store, ended);
    expect(ended, JSON.stringify(results)).toMatchObject({ status: 'completed', counts: { completed: 6 } });
    for (const { response } of results) check(response?.body);
    expect(ended.usage.inputTokens).toBeGreaterThan(0);
  };
  await Promise.all(Object.entries(cases).map(run));

  const line = { method: 'POST', url: '/v1/embeddings', body: { model: 'guide', input: query } };
  const wrong = await createBatchOfLines(store, [{ custom_id: 'n-1', ...line }], {
    endpoint: '/v1/embeddings',
  });
  const [result] = await allResults(store, await untilEnded(store, wrong));
  expect(result?.response).toMatchObject({
    status_code: 400,
    body: { error: { code: 'model_kind_mismatch' } },
  });
});
