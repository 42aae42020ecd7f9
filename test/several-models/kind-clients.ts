import OpenAI from 'openai';
import { tales, taleText } from '../../cli/demo-model/tales.ts';
import { expectedEmbedding, expectedScore, similarity } from '../services/demo-model-values.ts';

export interface KindServer {
  readonly origin: string;
  readonly secret: string;
}

/** What applications send to one model, in turns of their different forms. */
export interface KindClient {
  readonly model: string;
  /** Resolves with what is wrong with an answer; undefined if it is exact. */
  ask(): Promise<string | undefined>;
}

const topics = ['harbour', 'desert', 'winter', 'long story'] as const;
const texts = ['Which horse eats the hay?', 'Trains leave from platform 9.'];
const query = 'Which horse eats the hay?';
const documents = ['Trains leave from platform 9.', 'A horse that eats hay.', 'Horses eat.'];

/** OpenAI's SDK for chats and embeddings, and requests in the shape of Jina's API for rankings. */
export function kindClients(server: KindServer): readonly KindClient[] {
  const openai = connect(server);
  let turn = 0;
  return [
    { model: 'tales', ask: () => askForTale(openai, turn++) },
    { model: 'embeddings', ask: () => askForEmbeddings(openai, turn++) },
    { model: 'rerank', ask: () => askForRanking(server, turn++) },
  ];
}

/** Finds the sentence that answers a question: the nearest ones by their vectors, the best of them by its score. */
export async function retrieveDocument(server: KindServer, question: string): Promise<string> {
  const openai = connect(server);
  const sentences = tales
    .filter(({ topic }) => topic !== 'long story')
    .flatMap(({ text }) => text.split(/(?<=[.!?:])\s/));
  const { data } = await openai.embeddings.create({ model: 'embeddings', input: [question, ...sentences] });
  const [asked, ...vectors] = data.map(({ embedding }) => embedding);
  const nearest = sentences
    .map((sentence, place) => ({ sentence, nearness: similarity(asked ?? [], vectors[place] ?? []) }))
    .toSorted((a, b) => b.nearness - a.nearness)
    .slice(0, 8)
    .map(({ sentence }) => sentence);
  const { results } = await rank(server, { query: question, documents: nearest.toReversed(), top_n: 1 });
  return nearest.toReversed()[results[0]?.index ?? -1] ?? '';
}

/** Without retries of its own, which would hide those of the gateway. */
const connect = ({ origin, secret }: KindServer) =>
  new OpenAI({ baseURL: `${origin}/v1`, apiKey: secret, maxRetries: 0 });

async function askForTale(openai: OpenAI, turn: number): Promise<string | undefined> {
  const topic = topics[turn % topics.length] ?? 'harbour';
  const request = {
    model: 'tales',
    messages: [{ role: 'user' as const, content: `Of the ${topic}` }],
    temperature: 0,
  };
  let text = '';
  if (turn % 2 === 0) {
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  } else {
    const { choices } = await openai.chat.completions.create(request);
    text = choices[0]?.message.content ?? '';
  }
  return text === taleText(topic) ? undefined : `another text about ${topic}: ${text.slice(0, 80)}`;
}

async function askForEmbeddings(openai: OpenAI, turn: number): Promise<string | undefined> {
  const input = turn % 2 === 0 ? texts : texts.slice(0, 1);
  const { data } = await openai.embeddings.create({
    model: 'embeddings',
    input: input.length === 1 ? (input[0] ?? '') : input,
    encoding_format: turn % 3 === 0 ? 'float' : 'base64',
  });
  const areExact = input.every((text, place) => {
    const { embedding } = data[place] ?? {};
    const vector = typeof embedding === 'string' ? fromBase64(embedding) : (embedding ?? []);
    return similarity(vector, expectedEmbedding(text)) > 0.999;
  });
  return data.length === input.length && areExact ? undefined : 'other vectors';
}

/** The SDK decodes base64 only where it has asked for it itself. */
function fromBase64(text: string): number[] {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  return [...new Float32Array(buffer.slice(byteOffset, byteOffset + length))];
}

interface Ranking {
  readonly results: readonly {
    readonly index: number;
    readonly relevance_score: number;
  }[];
}

async function askForRanking(server: KindServer, turn: number): Promise<string | undefined> {
  const best = turn % 2 === 0 ? 2 : 3;
  const { results } = await rank(server, { query, documents, top_n: best });
  if (results.map(({ index }) => index).join() !== [1, 2, 0].slice(0, best).join())
    return `another order: ${JSON.stringify(results)}`;
  const areExact = results.every(
    ({ index, relevance_score }) =>
      Math.abs(relevance_score - expectedScore(query, documents[index] ?? '')) < 0.05,
  );
  return areExact ? undefined : `other scores: ${JSON.stringify(results)}`;
}

async function rank({ origin, secret }: KindServer, body: object): Promise<Ranking> {
  const response = await fetch(`${origin}/v1/rerank`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'rerank', ...body }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 200)}`);
  return JSON.parse(text) as Ranking;
}
