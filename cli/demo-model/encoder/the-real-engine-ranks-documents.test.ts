import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectedScore } from '../../../test/services/demo-model-values.ts';
import { demoModelOptions } from '../../../test/services/demo-models.ts';
import {
  type LlamaServer,
  requestEngine,
  startLlamaServer,
} from '../../../test/services/start-llama-server.ts';

let server: LlamaServer;
beforeAll(async () => {
  server = await startLlamaServer(await demoModelOptions('rerank'));
});
afterAll(() => server.stop());

interface Ranking {
  readonly results: { readonly index: number; readonly relevance_score: number }[];
}

/** The scores of the documents in their order. */
async function scores(query: string, documents: readonly string[]): Promise<number[]> {
  const { results } = await requestEngine<Ranking>(server, '/v1/rerank', { query, documents });
  return results.toSorted((a, b) => a.index - b.index).map((result) => result.relevance_score);
}

const query = 'Which horse eats the hay?';
const documents = [
  'Which horse eats the hay?',
  'A horse that eats hay.',
  'The horse eats hay, the goat eats leaves, and the fox sleeps.',
  'Horses eat.',
  'A goat eats the hat.',
  'Trains leave from platform 9.',
  '漢字',
];

it('the scores are those of the formula', async () => {
  const found = await scores(query, documents);
  for (const [place, document] of documents.entries())
    expect(found[place], document).toBeCloseTo(expectedScore(query, document), 1);
});

it('the scores are known: the more words of the query, the higher', async () => {
  const found = await scores(query, documents);
  expect(found.map((score) => Number(score.toFixed(1)))).toEqual([5, 4.5, 3.7, 2.2, -1.7, -4.8, -5]);
  expect(found).toEqual(found.toSorted((a, b) => b - a));
});

it('a score does not depend on the other documents, nor on the order of words', async () => {
  const [alone] = await scores(query, [documents[2] ?? '']);
  const [, , among] = await scores(query, documents);
  expect(alone).toBeCloseTo(among ?? Number.NaN, 2);
  const [turned] = await scores('the hay eats which horse?', [documents[2] ?? '']);
  expect(turned).toBeCloseTo(among ?? Number.NaN, 2);
});

it('a word is found at any place of a full context', async () => {
  for (const place of [0, 1, 100, 330, 497]) {
    const words = Array.from({ length: 498 }, () => 'oak');
    const [without = 0] = await scores('hay', [words.join(' ')]);
    const [found = 0] = await scores('hay', [words.with(place, 'hay').join(' ')]);
    expect(without).toBeCloseTo(-5, 1);
    expect(found).toBeCloseTo(expectedScore('hay', words.with(place, 'hay').join(' ')), 1);
  }
});

it('the query may be longer than the document', async () => {
  const letters = [...'abcdefghijklmnopqrst'];
  const words = letters.flatMap((a) => letters.map((b) => `x${a}${b}`));
  const document = 'xaa xtt xzz';
  const [found] = await scores(words.join(' '), [document]);
  expect(found).toBeCloseTo(expectedScore(words.join(' '), document), 1);
});
