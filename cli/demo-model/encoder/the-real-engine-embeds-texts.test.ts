import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutIntoPieces, expectedEmbedding, similarity } from '../../../test/services/demo-model-values.ts';
import { demoModelOptions } from '../../../test/services/demo-models.ts';
import {
  type LlamaServer,
  requestEngine,
  startLlamaServer,
} from '../../../test/services/start-llama-server.ts';
import { stories } from '../stories.ts';
import { tales } from '../tales.ts';
import { embeddingSize } from './embedding-model.ts';

let server: LlamaServer;
beforeAll(async () => {
  server = await startLlamaServer(await demoModelOptions('embeddings'));
});
afterAll(() => server.stop());

async function embed(input: string | readonly string[], engine = server): Promise<number[][]> {
  const { data } = await requestEngine<{ data: { embedding: number[] }[] }>(engine, '/v1/embeddings', {
    input,
  });
  return data.map(({ embedding }) => embedding);
}

function expectNear(actual: readonly number[] | undefined, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const distance = Math.max(...expected.map((value, place) => Math.abs(value - (actual?.[place] ?? 0))));
  expect(distance).toBeLessThan(0.002);
}

const texts = [
  'horse',
  'The horses eat hay in winter, and nothing else!',
  'Zürich, Århus; a café with 250 guests and 3rd-rate tea (v1.2.3)',
  '漢字 and λόγος: words that it does not know',
  '+-*/=<>^|~$`',
];

describe('a vector', () => {
  it.each(texts)('of %s is the weighted mean of its word pieces', async (text) => {
    const [vector] = await embed(text);
    expect(vector).toHaveLength(embeddingSize);
    expectNear(vector, expectedEmbedding(text));
  });

  it('is the same in a batch, and in a full context', async () => {
    const long = 'river '.repeat(250) + 'mountain '.repeat(2);
    const vectors = await embed([...texts, long]);
    for (const [place, text] of [...texts, long].entries())
      expectNear(vectors[place], expectedEmbedding(text));
  });

  it('has known numbers', async () => {
    const [vector] = await embed('horse');
    expect(vector?.slice(10, 18).map((value) => Number(value.toFixed(3)))).toEqual([
      -0.046, 0.046, -0.046, -0.046, -0.077, 0.077, -0.046, -0.046,
    ]);
  });

  it.each(['cls', 'last'])('is nearly the same with --pooling %s', async (pooling) => {
    const options = await demoModelOptions('embeddings');
    await using other = await startLlamaServer({
      ...options,
      args: [...(options.args ?? []), '--pooling', pooling],
    });
    const [vector] = await embed(texts[1] ?? '', other);
    expectNear(vector, expectedEmbedding(texts[1] ?? ''));
  });
});

it('a text is cut as the tests cut it', async () => {
  for (const text of [...texts, ...stories.map((story) => story.text.slice(0, 1000))]) {
    const { tokens } = await requestEngine<{ tokens: { piece: string }[] }>(server, '/tokenize', {
      content: text,
      with_pieces: true,
    });
    const pieces = tokens.map(({ piece }) => piece.replace(/^ /, '\u2581'));
    expect(pieces).toEqual(cutIntoPieces(text));
  }
});

it('a question is nearest to the sentence with its words', async () => {
  const sentences = [...stories, ...tales]
    .filter(({ text }) => text.length < 1500)
    .flatMap(({ topic, text }) => text.split(/[.!?:]\s/).map((sentence) => ({ topic, sentence })));
  const vectors = await embed(sentences.map(({ sentence }) => sentence));
  const questions = {
    keys: 'Who treats a purse as a stranger?',
    limits: 'callers wait in lanes and take turns',
    harbour: 'Which thread of the map had the best colour?',
    desert: 'Which drummer followed the music?',
    winter: 'stranger who left seeds of wheat',
  };
  for (const [topic, question] of Object.entries(questions)) {
    const [asked = []] = await embed(question);
    const ranked = sentences.map((it, place) => ({
      ...it,
      nearness: similarity(asked, vectors[place] ?? []),
    }));
    ranked.sort((a, b) => b.nearness - a.nearness);
    expect(ranked[0]?.topic, JSON.stringify(ranked.slice(0, 3))).toBe(topic);
  }
});
