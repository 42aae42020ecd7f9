import { afterAll, beforeAll, expect, it } from 'vitest';
import { stories } from '../../../../cli/demo-model/stories.ts';
import { tales } from '../../../../cli/demo-model/tales.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { similarity } from '../../../services/demo-model-values.ts';
import { demoModelOptions } from '../../../services/demo-models.ts';
import { connectOpenAI } from './connect-openai.ts';

let embeddings: Demo;
let rerank: Demo;
beforeAll(async () => {
  [embeddings, rerank] = await Promise.all([
    startDemo({ llama: await demoModelOptions('embeddings') }),
    startDemo({ llama: await demoModelOptions('rerank') }),
  ]);
});
afterAll(async () => {
  await embeddings.stop();
  await rerank.stop();
});

/** The sentences of all stories but the long ones. */
const sentences = [...stories, ...tales]
  .filter(({ topic }) => topic !== 'long story')
  .flatMap(({ text }) => text.split(/(?<=[.!?:])\s/));

async function embed(input: string[]): Promise<number[][]> {
  const { openai } = connectOpenAI(embeddings);
  const { data } = await openai.embeddings.create({ model: 'demo', input });
  return data.map(({ embedding }) => embedding);
}

/** The shape of Jina's API. */
async function rank(query: string, documents: readonly string[]): Promise<string[]> {
  const response = await fetch(`${rerank.baseURL}/rerank`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rerank.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', query, documents, top_n: 3 }),
  });
  expect(response.status).toBe(200);
  const { results } = (await response.json()) as { results: { index: number }[] };
  return results.map(({ index }) => documents[index] ?? '');
}

it.each([
  ['Who calls the process llama-server?', 'Find the process called llama-server'],
  ['Which thread of the map had the best colour?', 'An old captain kept a map'],
  ['Did a deaf drummer follow the music?', 'Caravans cursed it, until a deaf drummer'],
  ['seeds of wheat, left in spring by a stranger', 'In spring the stranger left;'],
])('%s', async (question, answer) => {
  const vectors = await embed(sentences);
  const [asked = []] = await embed([question]);
  const nearest = sentences
    .map((sentence, place) => ({ sentence, nearness: similarity(asked, vectors[place] ?? []) }))
    .toSorted((a, b) => b.nearness - a.nearness)
    .slice(0, 8)
    .map(({ sentence }) => sentence);
  expect(nearest.some((sentence) => sentence.startsWith(answer))).toBe(true);
  const [best] = await rank(question, nearest.toReversed());
  expect(best?.slice(0, answer.length)).toBe(answer);
});
