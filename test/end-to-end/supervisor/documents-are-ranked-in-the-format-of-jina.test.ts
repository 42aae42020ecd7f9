import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { expectedScore } from '../../services/demo-model-values.ts';
import { demoModelFile } from '../../services/demo-models.ts';

let models: ServedModels;
beforeAll(async () => {
  models = await startServedModels({
    models: [
      { id: 'rank', path: await demoModelFile('rerank'), kind: 'rerank', ctx: 512, parallel: 2, pin: true },
    ],
  });
  await models.deployment.reachesStatus('ready');
});
afterAll(() => models?.[Symbol.asyncDispose]());

interface Result {
  readonly index: number;
  readonly relevance_score: number;
  readonly document?: { readonly text: string };
}

async function rank(fields: object): Promise<readonly Result[]> {
  const response = await models.post('/v1/rerank', { model: 'rank', query: 'hay', ...fields });
  const body = (await response.json()) as { model: string; results: readonly Result[] };
  expect([response.status, body.model]).toEqual([200, 'rank']);
  return body.results;
}

// More documents than slots: the gateway sends them in parts.
it.each([
  ['one request', ['oats', 'hay']],
  ['several parts', ['oats', 'a horse', 'the gate', 'hay', 'a stable']],
])('texts and objects are ranked alike, and returned if that is asked for: %s', async (_, texts) => {
  const plain = await rank({ documents: texts });
  expect(plain.map(({ document }) => document)).toEqual(texts.map(() => undefined));
  for (const { index, relevance_score: score } of plain)
    expect(score).toBeCloseTo(expectedScore('hay', texts[index] ?? ''), 2);
  const objects = texts.map((text, id) => ({ text, id }));
  expect(await rank({ documents: objects, query: { text: 'hay' } })).toEqual(plain);
  const withDocuments = plain.map((result) => ({ ...result, document: { text: texts[result.index] } }));
  expect(await rank({ documents: objects, return_documents: true })).toEqual(withDocuments);
  expect(await rank({ documents: texts, return_documents: true, top_n: 1 })).toEqual(
    withDocuments.slice(0, 1),
  );
});

it('documents of another kind are rejected', async () => {
  const response = await models.post('/v1/rerank', {
    model: 'rank',
    query: 'hay',
    documents: [{ image: 'x' }],
    return_documents: true,
  });
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { message: expect.stringContaining('documents') } },
  ]);
});
