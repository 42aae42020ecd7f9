import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { saveTurn, textsOf, userMessage } from '../test/harness/stored-responses.ts';
import type { PageQuery } from './item-list.ts';
import type { Store } from './store.ts';

const itemsNamed = (...ids: string[]) => ids.map((id) => ({ item: { ...userMessage(id), id } }));

function idsOf({ conversations }: Store, id: string, query: Partial<PageQuery>): unknown {
  const page = conversations.items('app', id, { limit: 2, order: 'desc', ...query });
  return typeof page === 'object' ? [page.items.map((item) => item.id).join(''), page.hasMore] : page;
}

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('a conversation (%s)', (_, key) => {
  it('has metadata and items, for its owner only', async () => {
    await using test = await openTestStore({ key });
    const { conversations } = test.store;
    const created = conversations.create('app', [{ item: userMessage('a') }], { topic: 'demo' });
    const { id } = created;
    expect(id).toMatch(/^conv_[0-9a-f]{32}$/);
    expect(created).toMatchObject({ owner: 'app', metadata: { topic: 'demo' } });
    expect(conversations.get('app', id)).toEqual(created);
    const added = conversations.addItems('app', id, [
      { item: { type: 'reasoning', summary: [] } },
      { item: userMessage('b') },
    ]);
    expect(added?.map((item) => item.id)).toEqual([
      expect.stringMatching(/^rs_[0-9a-f]{32}$/),
      expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    ]);
    const [reasoning] = added ?? [];
    expect(reasoning?.item).toEqual({ id: reasoning?.id, type: 'reasoning', summary: [] });
    expect(conversations.getItem('app', id, reasoning?.id ?? '')).toEqual(reasoning);
    expect(conversations.update('app', id, { topic: 'other' })?.metadata).toEqual({ topic: 'other' });
    const page = { limit: 9, order: 'asc' } as const;
    for (const owner of ['other', '']) {
      expect(conversations.get(owner, id)).toBeUndefined();
      expect(conversations.update(owner, id, {})).toBeUndefined();
      expect(conversations.addItems(owner, id, [])).toBeUndefined();
      expect(conversations.items(owner, id, page)).toBeUndefined();
      expect(conversations.getItem(owner, id, reasoning?.id ?? '')).toBeUndefined();
      expect(conversations.deleteItem(owner, id, reasoning?.id ?? '')).toBeUndefined();
      expect(conversations.delete(owner, id)).toBe(false);
      expect(test.store.responses.findItem(owner, reasoning?.id ?? '')).toBeUndefined();
      expect([...test.store.responses.historyBackwards(owner, { conversationId: id })]).toEqual([]);
    }
    expect(conversations.get('app', id)?.metadata).toEqual({ topic: 'other' });
    expect(conversations.list('app', page)).toMatchObject({
      conversations: [{ id, items: 3 }],
      hasMore: false,
    });
    expect(conversations.list(undefined, page)).toMatchObject({ conversations: [{ id }] });
    expect(conversations.list('other', page)).toEqual({ conversations: [], hasMore: false });
    expect(conversations.list('other', { ...page, after: id })).toBe('unknown-after');
  });

  it('is listed in pages, in both orders', async () => {
    await using test = await openTestStore({ key });
    const { id } = test.store.conversations.create('app', itemsNamed('a', 'b', 'c'), {});
    const ids = (query: Partial<PageQuery>) => idsOf(test.store, id, query);
    expect(ids({})).toEqual(['cb', true]);
    expect(ids({ after: 'b' })).toEqual(['a', false]);
    expect(ids({ order: 'asc' })).toEqual(['ab', true]);
    expect(ids({ order: 'asc', after: 'b', limit: 1 })).toEqual(['c', false]);
    expect(ids({ after: 'a' })).toEqual(['', false]);
    expect(ids({ after: 'd' })).toBe('unknown-after');
    expect(idsOf(test.store, 'conv_0', {})).toBeUndefined();
  });

  it('has the items of its responses, which see what came before them', async () => {
    await using test = await openTestStore({ key });
    const { store } = test;
    const { id: conversationId } = store.conversations.create('app', [{ item: userMessage('start') }], {});
    const first = saveTurn(store, 'a', { conversationId });
    store.conversations.addItems('app', conversationId, [{ item: userMessage('between') }]);
    const second = saveTurn(store, 'b', { conversationId });
    const history = (of: object) => textsOf(store.responses.historyBackwards('app', of));
    expect(history({ conversationId })).toEqual(['start', 'a', 'A', 'between', 'b', 'B']);
    expect(history({ before: second })).toEqual(['start', 'a', 'A', 'between']);
    expect(history({ previousId: first })).toEqual(['start', 'a', 'A']);
    const branch = saveTurn(store, 'c', { previousId: first });
    expect(history({ previousId: branch })).toEqual(['start', 'a', 'A', 'c', 'C']);
    expect(history({ conversationId })).toHaveLength(6);
    expect(store.responses.get('app', first)).toMatchObject({ conversationId, previousId: null });
  });

  it('loses an item that is deleted, but not the place of those after it', async () => {
    await using test = await openTestStore({ key });
    const { conversations, responses } = test.store;
    const { id } = conversations.create('app', itemsNamed('a', 'b'), {});
    const turn = saveTurn(test.store, 'c', { conversationId: id });
    expect(conversations.deleteItem('app', id, 'b')?.id).toBe(id);
    expect(conversations.deleteItem('app', id, 'b')).toBeUndefined();
    conversations.addItems('app', id, itemsNamed('d'));
    expect(textsOf(responses.historyBackwards('app', { conversationId: id }))).toEqual(['a', 'c', 'C', 'd']);
    expect(textsOf(responses.historyBackwards('app', { previousId: turn }))).toEqual(['a', 'c', 'C']);
    expect(responses.findItem('app', 'b')).toBeUndefined();
  });
});

it('paging ends, also where an item is there several times', async () => {
  await using test = await openTestStore();
  const { conversations } = test.store;
  const { id } = conversations.create('app', itemsNamed('a', 'b'), {});
  conversations.addItems('app', id, [{ stored: 'a' }, ...itemsNamed('b', 'c')]);
  for (const order of ['asc', 'desc'] as const) {
    const seen: string[] = [];
    for (let after: string | undefined; seen.length < 10; after = seen.at(-1)) {
      const page = conversations.items('app', id, { after, limit: 1, order });
      if (typeof page !== 'object' || page.items.length === 0) break;
      seen.push(...page.items.map((item) => item.id));
    }
    expect(seen.length).toBeLessThan(6);
    expect(new Set(seen).size).toBe(3);
  }
});
