import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { expectedEmbedding, similarity } from '../../services/demo-model-values.ts';
import { demoModelFile } from '../../services/demo-models.ts';

/** A model file whose header is whole, and whose tensors end early. */
async function damaged(name: 'guide' | 'embeddings'): Promise<string> {
  const [file, path] = [await demoModelFile(name), join(newFolder(), 'damaged.gguf')];
  copyFileSync(file, path);
  truncateSync(path, Math.floor(statSync(file).size * 0.9));
  return path;
}

const alias = (name: string, ...weights: readonly [string, number][]) => ({
  name,
  targets: weights.map(([model, weight]) => ({ model, weight })),
});

const sentence = 'the keys of the queue are counted';

/** Requests of several conversations, of which each is recognized by `n`. */
const requests: Readonly<
  Record<string, (models: ServedModels, model: string, n: number) => Promise<boolean>>
> = {
  async chat(models, model, n) {
    return (await models.chat(model, 'About keys', { user: `u${n}`, prompt_cache_key: `c${n}` })) === story;
  },
  async stream(models, model, n) {
    const messages = [{ role: 'user', content: 'About keys' }];
    const body = { model, messages, stream: true, prompt_cache_key: `s${n}` };
    const response = await models.post('/v1/chat/completions', body);
    return chatTextIn(parseEvents(await response.text())) === story;
  },
  async response(models, model, n) {
    const body = { model, input: 'About keys', stream: true, prompt_cache_key: `r${n}` };
    const events = parseEvents(await (await models.post('/v1/responses', body)).text());
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    const created = events.filter(({ type }) => type === 'response.created');
    return created.length === 1 && deltas.map(({ delta }) => delta).join('') === story;
  },
};
const story = storyText('keys');

async function embed(models: ServedModels, model: string, n: number): Promise<boolean> {
  const response = await models.post(
    '/v1/embeddings',
    { model, input: sentence },
    { 'x-session-id': `e${n}` },
  );
  const { data } = (await response.json()) as { data?: { embedding: number[] }[] };
  return similarity(data?.[0]?.embedding ?? [], expectedEmbedding(sentence)) > 0.9999;
}

it('requests that wait for a target of an alias that does not load go on at another one', async () => {
  const [brokenChat, brokenEmbeddings] = [await damaged('guide'), await damaged('embeddings')];
  await using models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), parallel: 4, pin: true },
        { id: 'canary', path: brokenChat },
        { id: 'stable', path: brokenChat, ctx: 2048 },
        { id: 'vectors', kind: 'embeddings', path: await demoModelFile('embeddings'), ctx: 512 },
        { id: 'other', kind: 'embeddings', path: brokenEmbeddings, ctx: 512 },
      ],
      aliases: [
        alias('latest', ['guide', 60], ['canary', 40]),
        // The target that fails is the one with the largest weight.
        alias('mostly', ['guide', 20], ['stable', 80]),
        alias('all', ['vectors', 60], ['other', 40]),
      ],
    },
    // Clients that wait are told so at once, which must not keep them from another model.
    { STREAM_HEADERS_AFTER: '1ms', STREAM_KEEPALIVE: '10ms' },
  );
  await models.deployment.reachesStatus('ready');
  const asked = Object.entries(requests).flatMap(([name, ask]) =>
    ['latest', 'mostly'].flatMap((model) =>
      Array.from({ length: 8 }, async (_, n) => [name, model, n, await ask(models, model, n)]),
    ),
  );
  const vectors = Array.from({ length: 8 }, async (_, n) => [
    'embed',
    'all',
    n,
    await embed(models, 'all', n),
  ]);
  const results = await Promise.all([...asked, ...vectors]);
  expect(results.filter(([, , , isRight]) => !isRight)).toEqual([]);
  for (const [id, path] of [
    ['canary', '/v1/chat/completions'],
    ['stable', '/v1/chat/completions'],
    ['other', '/v1/embeddings'],
  ] as const) {
    expect((await models.model(id)).status, id).toBe('failed');
    const body = { model: id, messages: [{ role: 'user', content: 'x' }], input: 'x' };
    const response = await models.post(path, body);
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: 'model_failed' } },
    ]);
  }
});
