import { describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { saveTurn, userMessage } from '../test/harness/stored-responses.ts';
import type { ItemPage, PageQuery } from './item-list.ts';

const MB = 1024 ** 2;
/** In MB. The second one alone is more than a page may have. */
const sizes = [1, 9, ...Array.from({ length: 20 }, () => 1), 3, 3, 3, 0, 0, 0];
const texts = sizes.map((size, n) => `${n} `.padEnd(size * MB, 'x'));

type Read = (query: PageQuery) => ItemPage | 'unknown-after' | undefined;

/** A conversation, and a response with a history of the same items. */
function readers({ store }: TestStore): [name: string, read: Read][] {
  const { id } = store.conversations.create('app', [], {});
  for (const text of texts) store.conversations.addItems('app', id, [{ item: userMessage(text) }]);
  const continued = saveTurn(store, 'the last one', { conversationId: id });
  return [
    ['conversation', (query) => store.conversations.items('app', id, query)],
    ['response', (query) => store.responses.inputItems('app', continued, query)],
  ];
}

const textOf = ({ item }: ItemPage['items'][number]) => (item.content as [{ text: string }])[0].text;

describe('a list of large items', () => {
  it.each(['asc', 'desc'] as const)(
    'is read in pages of a few MB, %s, and has all of them',
    async (order) => {
      await using test = await openTestStore();
      for (const [name, read] of readers(test)) {
        const seen: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = read({ order, limit: 20, after });
          if (typeof page !== 'object') throw new Error(`no page of the ${name}: ${page}`);
          const read20 = page.items.map(textOf);
          const bytes = read20.join('').length;
          expect(page.items.length === 1 || bytes < 8 * MB, `${name}: ${bytes} bytes`).toBe(true);
          seen.push(...read20);
          if (!page.hasMore) break;
          after = page.items.at(-1)?.id;
        }
        const own = name === 'conversation' ? ['the last one', 'THE LAST ONE'] : ['the last one'];
        const all = [...texts, ...own];
        expect(seen.length).toBe(all.length);
        expect(seen).toEqual(order === 'asc' ? all : all.toReversed());
      }
    },
  );
});

it('a history of large items is read as it is needed', async () => {
  await using test = await openTestStore({ key: Buffer.alloc(32, 1) });
  const [conversation] = [test.store.conversations.create('app', [], {})];
  for (const text of texts)
    test.store.conversations.addItems('app', conversation.id, [{ item: userMessage(text) }]);
  const all = test.store.responses.historyBackwards('app', { conversationId: conversation.id });
  expect(all.map(textOf).toArray()).toEqual(texts.toReversed());
  const before = process.memoryUsage().arrayBuffers;
  const [newest] = test.store.responses.historyBackwards('app', { conversationId: conversation.id }).take(1);
  expect(newest && textOf(newest)).toBe(texts.at(-1));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MB);
});
