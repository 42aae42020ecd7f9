import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyModel } from './listed-models.ts';
import { createPool, readTarget } from './target.ts';

let answer: { readonly status?: number; readonly body: string };
const server = createServer((_, response) => {
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(answer.body);
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

async function choose(models: readonly object[] | string, status?: number): Promise<string> {
  const body = typeof models === 'string' ? models : JSON.stringify({ object: 'list', data: models });
  answer = { body, ...(status !== undefined && { status }) };
  const target = readTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const pool = createPool(target);
  return onlyModel(pool, target, undefined).finally(() => pool.destroy());
}

const own = { owned_by: 'llama-corral' };
const chat = (id: string) => ({ id, ...own, kind: 'chat' });
const embeddings = { id: 'vectors', ...own, kind: 'embeddings' };
const alias = { id: 'latest', ...own, kind: 'chat', targets: [{ model: 'a', weight: 1 }] };

describe('the model to measure', () => {
  it.each([
    ['the only one', [{ id: 'm' }]],
    ['the only one for chats', [embeddings, chat('m'), alias]],
    [
      'the first of several names of one model',
      [
        { id: 'm', ...own },
        { id: 'n', ...own },
      ],
    ],
  ])('is %s', async (_, models) => expect(await choose(models)).toBe('m'));

  it.each([
    ['several models', [{ id: 'a' }, { id: 'b' }], /lists several models; name one with --model: a, b$/],
    [
      'several models for chats',
      [chat('a'), embeddings, chat('b'), alias],
      /lists several models; name one with --model: a, b, latest$/,
    ],
    ['no model for chats', [embeddings], /lists no chat models, but vectors \(embeddings\)$/],
    ['no models', [], /lists no models \(the list is empty\)/],
    ['something else', '<html>', /lists no models \(unexpected response\); name one with --model$/],
  ])('is not chosen from a list of %s', async (_, models, message) => {
    await expect(choose(models)).rejects.toThrow(message);
  });

  it('is unknown if the key is rejected', async () => {
    await expect(choose([], 401)).rejects.toThrow(/rejected the API key \(401\); pass an API key/);
  });

  it('is chosen from a long list, of which a part is shown', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ id: `m${index}` }));
    await expect(choose(many)).rejects.toThrow(/m0, m1, .*m19, and 5 more$/);
  });
});
