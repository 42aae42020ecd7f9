import { expect, it } from 'vitest';
import { apiRoutes } from '../api/route-table.ts';
import { ResponseCache } from './response-cache.ts';
import { MemoryStore } from './response-store.ts';

const [embeddings] = apiRoutes.filter(({ upstream }) => upstream === '/v1/embeddings');

function entryFor(tokens: number) {
  if (embeddings === undefined) throw new Error('no route for embeddings');
  using cache = new ResponseCache(new MemoryStore(1024 ** 2, 1000));
  const body = Buffer.from(`{"input":[1.0${',1'.repeat(tokens - 1)}]}`);
  return cache.entryFor({ route: embeddings, headers: {}, key: undefined, body, model: 'm' });
}

it('a request of very many values is not compared, as that would hold up all others', () => {
  expect(entryFor(50_000)).toBeDefined();
  expect(entryFor(1_900_000)).toBeUndefined();
});
