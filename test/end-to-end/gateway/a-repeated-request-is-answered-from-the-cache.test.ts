import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEvents } from '../../../sse/sse.ts';
import { askCached } from '../../harness/ask-cached.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { waitFor } from '../../harness/wait-for.ts';

const app = 'sk-app-0123456789abcdefghijklmnopqrstuvwxyz0123';
const other = 'sk-other-0123456789abcdefghijklmnopqrstuvwxyz01';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({
    env: { RESPONSE_CACHE: 'memory', MAX_TOKENS_PER_MINUTE: '100000000' },
    keys: `app:${app}\nother:${other}\n`,
  });
});
afterAll(() => demo?.stop());

const chat = (content: string, fields: object = {}) => ({
  temperature: 0,
  max_tokens: 6,
  messages: [{ role: 'user', content }],
  ...fields,
});
const seen = { hit: 0, miss: 0, bypass: 0 };
async function ask(secret: string, body: object, options?: Parameters<typeof askCached>[3]) {
  const answer = await askCached(demo.corral.origin, secret, body, options);
  seen[answer.cache as keyof typeof seen] += 1;
  return answer;
}

/** Without what is new in each response. */
const stripped = (text: string) => text.replace(/"id":"[^"]*"/g, '').replace(/"created":\d+/g, '');
const idOf = (text: string) => /"id":"([^"]+)"/.exec(text)?.[1];
const contentOf = (text: string): unknown => JSON.parse(text).choices[0].message.content;

async function inTurn<T, R>(items: readonly T[], atOnce: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await act(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

const REQUESTS = 1000;

describe('the response cache', () => {
  it(`answers each repetition, and only those, as the engine did (${REQUESTS} requests)`, async () => {
    const prompts = Array.from({ length: REQUESTS / 2 }, (_, n) => `Question ${n}: say a number`);
    const first = await inTurn(prompts, 8, (prompt) => ask(app, chat(prompt)));
    const again = await inTurn(prompts, 8, (prompt) => ask(app, chat(prompt)));
    expect(first.filter(({ cache }) => cache === 'miss')).toHaveLength(prompts.length);
    expect(again.filter(({ cache }) => cache === 'hit')).toHaveLength(prompts.length);
    const fresh = await inTurn(prompts, 8, (prompt) =>
      ask(app, chat(prompt), { headers: { 'cache-control': 'no-store' } }),
    );
    expect(fresh.every(({ cache }) => cache === 'bypass')).toBe(true);
    prompts.forEach((prompt, n) => {
      expect(stripped(again[n]?.text ?? ''), prompt).toBe(stripped(first[n]?.text ?? ''));
      expect(contentOf(again[n]?.text ?? ''), prompt).toEqual(contentOf(fresh[n]?.text ?? ''));
    });
    expect(new Set([...first, ...again].map(({ text }) => idOf(text))).size).toBe(REQUESTS);
  });

  it('of one key means nothing to another', async () => {
    expect((await ask(app, chat('mine'))).cache).toBe('miss');
    expect((await ask(other, chat('mine'))).cache).toBe('miss');
    expect((await ask(app, chat('mine'))).cache).toBe('hit');
  });

  it('replays a stream as a stream, with its usage if that was asked for', async () => {
    for (const fields of [{}, { stream_options: { include_usage: true } }]) {
      const body = chat('a stream', { stream: true, max_tokens: 40, ...fields });
      const first = await ask(app, body);
      const again = await ask(app, body);
      expect([first.cache, again.cache]).toEqual(['miss', 'hit']);
      expect(stripped(again.text)).toBe(stripped(first.text));
      expect(again.text).toMatch(/data: \[DONE\]\n\n$/);
      expect(new Set([...again.text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id)).size).toBe(1);
      expect(idOf(again.text)).not.toBe(idOf(first.text));
      expect(parseEvents(again.text).some(({ usage }) => usage)).toBe('stream_options' in fields);
    }
    expect((await ask(app, chat('a stream', { max_tokens: 40 }))).cache).toBe('miss');
  });

  it.each([
    ['/v1/completions', { prompt: 'Once', temperature: 0, max_tokens: 5 }],
    [
      '/v1/completions',
      { prompt: ['One', 'Two', 'Three', 'Four', 'Five', 'Six'], temperature: 0, max_tokens: 3 },
    ],
    ['/v1/messages', { ...chat('a message'), stream: false }],
    ['/v1/messages', { ...chat('a message'), stream: true }],
  ])('serves %s', async (path, body) => {
    const [first, again] = [await ask(app, body, { path }), await ask(app, body, { path })];
    expect([first.status, first.cache, again.status, again.cache]).toEqual([200, 'miss', 200, 'hit']);
    expect(stripped(again.text)).toBe(stripped(first.text));
    expect(idOf(again.text)).not.toBe(idOf(first.text));
  });

  it.each([
    ['/v1/responses', { input: 'a', temperature: 0, max_output_tokens: 4 }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'a' }], max_tokens: 4 }],
    ['/v1/chat/completions', chat('a', { tools: [{ type: 'function', function: { name: 'f' } }] })],
  ])('leaves out %s %j', async (path, body) => {
    expect((await ask(app, body, { path })).cache).toBe('bypass');
    expect((await ask(app, body, { path })).cache).toBe('bypass');
  });

  it('honours Cache-Control: no-store keeps nothing, no-cache refreshes', async () => {
    const noStore = { headers: { 'cache-control': 'no-store' } };
    expect((await ask(app, chat('private'), noStore)).cache).toBe('bypass');
    expect((await ask(app, chat('private'))).cache).toBe('miss');
    expect((await ask(app, chat('private'), noStore)).cache).toBe('bypass');
    expect((await ask(app, chat('private'), { headers: { 'cache-control': 'no-cache' } })).cache).toBe(
      'miss',
    );
    expect((await ask(app, chat('private'))).cache).toBe('hit');
  });

  it('hits need no slot: they are answered while all slots are busy', async () => {
    const body = chat('quick');
    await ask(app, body);
    const controller = new AbortController();
    const long = Array.from({ length: 4 }, (_, n) =>
      fetch(`${demo.baseURL}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          ...chat(`long story ${n}`),
          temperature: 1,
          max_tokens: 4000,
          ignore_eos: true,
          stream: true,
        }),
        signal: controller.signal,
      }),
    );
    seen.bypass += long.length;
    const { scheduler } = demo.corral.gateway;
    await waitFor('no free slot', () => scheduler.counts.leased >= scheduler.counts.capacity);
    expect((await ask(app, body)).cache).toBe('hit');
    expect(scheduler.counts.leased).toBe(scheduler.counts.capacity);
    controller.abort();
    await Promise.allSettled(long);
  });

  it('counts hits apart, without tokens', async () => {
    await ask(other, chat('counted'));
    await ask(other, chat('counted'));
    await waitFor('the metrics', async () => {
      const page = await scrape(demo.corral.origin);
      const read = (result: string) => page.value('corral_response_cache_requests_total', { result });
      return isDeepStrictEqual(
        [read('hit'), read('miss'), read('bypass')],
        [seen.hit, seen.miss, seen.bypass],
      );
    });
    const usage = await demo.corral.gateway.ledger.query({
      since: '2000-01-01',
      until: undefined,
      keyId: 'other',
      by: ['key'],
    });
    expect(usage).toMatchObject([{ cacheHits: 1 }]);
  });
});
