import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import {
  assistantMessage,
  createInBackground,
  saveTurn,
  textsOf,
  userMessage,
} from '../test/harness/stored-responses.ts';
import { Database } from './database.ts';
import { ContentError, StoreError } from './errors.ts';
import type { ItemPage } from './item-list.ts';
import type { InputItem } from './response.ts';
import { openStore, storeFileName } from './store.ts';

/** All that is on disk. */
const bytesOf = ({ folder }: TestStore) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(storeFileName))
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('');

function change({ folder }: TestStore, sql: string): void {
  using db = new DatabaseSync(join(folder, storeFileName));
  db.exec(sql);
}

/** One of each kind, all with the word `secret`. */
function storeSecrets({ store }: TestStore): void {
  saveTurn(store, 'a secret prompt');
  const { id } = createInBackground(store, 'a secret input', { request: { instructions: 'secret' } });
  createInBackground(store, 'another secret', { request: { instructions: 'secret' } });
  store.responses.appendEvents(id, [{ sequence: 0, text: 'a secret event' }]);
  store.responses.finish(id, 'completed', {
    instructions: 'secret',
    output: [assistantMessage('a secret output')],
  });
  store.conversations.create('app', [{ item: { role: 'user', content: 'a secret item' } }], {
    topic: 'secret',
  });
}

it('what was deleted is nowhere on disk after the next sweep, also without a key', async () => {
  await using test = await openTestStore();
  const { store } = test;
  const id = saveTurn(store, 'a secret prompt');
  const conversation = store.conversations.create('app', [{ item: userMessage('a secret item') }], {
    a: 'secret',
  });
  expect(bytesOf(test)).toContain('a secret prompt');
  store.responses.delete('app', id);
  store.conversations.delete('app', conversation.id);
  await store.sweep();
  expect(bytesOf(test)).not.toContain('secret');
});

it('an error about what was changed on disk repeats nothing of it', async () => {
  await using test = await openTestStore();
  const id = saveTurn(test.store, 'hi');
  change(test, `UPDATE items SET content = CAST('secret words' AS BLOB)`);
  const read = () => test.store.responses.get('app', id);
  expect(read).toThrow('was changed on disk');
  expect(read).not.toThrow(expect.objectContaining({ cause: expect.anything() }));
});

describe('with a key', () => {
  it('nothing that a client has written or got is on disk as plaintext', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    storeSecrets(test);
    expect(bytesOf(test).toLowerCase()).not.toContain('secret');
    await using plain = await openTestStore();
    storeSecrets(plain);
    expect(bytesOf(plain).match(/secret/gi)?.length).toBeGreaterThan(8);
  });

  it('a store with responses opens with this key only', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    test.store.conversations.create('app', [], {});
    const open = (key: Buffer | undefined) => openStore({ ...test.config, key }, { role: 'gateway' });
    expect(() => open(randomBytes(32))).toThrow('is encrypted with another key');
    expect(() => open(undefined)).toThrow(StoreError);
    await test.store.purge({});
    open(undefined)[Symbol.dispose]();
  });

  it.each([
    ['UPDATE items SET content = zeroblob(length(content))', 'item'],
    ['UPDATE items SET content = (SELECT content FROM items ORDER BY n DESC LIMIT 1) WHERE n = 1', 'item'],
    ['UPDATE items SET content = substr(content, 1, 20)', 'item'],
    ["UPDATE items SET content = x''", 'item'],
    ['UPDATE responses SET object = (SELECT object FROM responses WHERE n = 2) WHERE n = 1', 'resp_'],
  ])('what was changed or moved on disk is an error (%s)', async (sql, name) => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const id = saveTurn(test.store, 'a');
    saveTurn(test.store, 'b');
    change(test, sql);
    const read = () => [
      test.store.responses.get('app', id),
      test.store.responses.inputItems('app', id, { limit: 9, order: 'asc' }),
    ];
    expect(read).toThrow(ContentError);
    expect(read).toThrow(new RegExp(`record of ${name}.* was changed on disk`));
  });

  it('an item of one owner is not valid for another', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    saveTurn(test.store, 'a');
    change(test, "UPDATE responses SET owner = 'other'; UPDATE items SET owner = 'other'");
    const [{ id } = { id: '' }] = test.store.responses.open().concat(pageOf(test, 'other'));
    expect(() => test.store.responses.get('other', id)).toThrow(ContentError);
  });
});

it('an item that is sent again is stored once, and a changed one is another', async () => {
  await using test = await openTestStore();
  const { conversations, responses } = test.store;
  const output = assistantMessage('hello');
  const { id } = conversations.create('app', [{ item: output }], {});
  const { bytes } = test.store.usage();
  const again = conversations.addItems('app', id, [{ item: { ...output } }]);
  expect(again).toEqual([{ id: output.id, item: output }]);
  expect(test.store.usage().bytes).toBe(bytes);
  const changed = { ...output, content: [{ type: 'output_text', text: 'bye' }] };
  expect(conversations.addItems('app', id, [{ item: changed }])).toEqual([{ id: output.id, item: changed }]);
  expect(textsOf(responses.historyBackwards('app', { conversationId: id }))).toEqual([
    'hello',
    'hello',
    'bye',
  ]);
  const other = conversations.create('other', [{ item: changed }], {});
  expect(textsOf(responses.historyBackwards('other', { conversationId: other.id }))).toEqual(['bye']);
  expect(responses.findItem('app', String(output.id))?.item).toEqual(changed);
});

it('a reference is to the item that its owner can see, also if that is older', async () => {
  await using test = await openTestStore();
  const { conversations, responses } = test.store;
  const item = (content: string) => ({ item: { type: 'message', id: 'msg_1', role: 'user', content } });
  saveTurn(test.store, 'a', { input: [item('visible')] });
  const root = saveTurn(test.store, 'b', { input: [item('hidden')] });
  saveTurn(test.store, 'c', { previousId: root });
  responses.delete('app', root);
  expect(responses.findItem('app', 'msg_1')?.item.content).toBe('visible');
  const { id } = conversations.create('app', [{ stored: 'msg_1' }], {});
  expect(conversations.getItem('app', id, 'msg_1')?.item.content).toBe('visible');
});

describe('nothing is stored twice', () => {
  it('of a client that sends the whole conversation with each turn', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const { responses } = test.store;
    const input: InputItem[] = [];
    let bytes = 0;
    for (const text of ['yes', 'yes', 'no'].map((word) => word.repeat(1000))) {
      input.push({ item: userMessage(text) });
      const id = saveTurn(test.store, text, { input });
      const { items } = responses.inputItems('app', id, { limit: 99, order: 'asc' }) as ItemPage;
      expect(items.map(({ item: { id: _, ...item } }) => ({ item }))).toEqual(input);
      expect(new Set(items.map((item) => item.id)).size).toBe(input.length);
      input.push({ item: { role: 'assistant', content: text.toUpperCase() } });
      const added = test.store.usage().bytes - bytes;
      bytes += added;
      // The new message, the response to it, and the message of the turn before.
      expect(added).toBeLessThan(3 * 3500);
    }
    for (const { id } of pageOf(test, 'app')) responses.delete('app', id);
    expect(test.store.usage().bytes).toBe(0);
  });

  it('of tools and instructions that are the same from turn to turn', async () => {
    await using test = await openTestStore();
    const { responses } = test.store;
    const tools = [{ type: 'function', name: 'f', description: 'x'.repeat(10_000) }];
    const object = {
      object: 'response',
      instructions: 'y'.repeat(10_000),
      output: [],
      tools,
      usage: { input_tokens: 1 },
    };
    const ids = [1, 2, 3].map(() => saveTurn(test.store, 'a', { object }));
    expect(test.store.usage().bytes).toBeLessThan(22_000);
    for (const id of ids)
      expect(JSON.stringify(responses.get('app', id)?.object)).toBe(
        JSON.stringify({ ...object, status: 'completed' }),
      );
    expect(textsOf(responses.historyBackwards('app', { previousId: ids[0] ?? '' }))).toEqual(['a']);
    expect(responses.findItem('app', 'part tools')).toBeUndefined();
    const child = saveTurn(test.store, 'b', { previousId: ids[0] });
    for (const id of ids) responses.delete('app', id);
    expect(test.store.usage().bytes).toBeLessThan(2000);
    responses.delete('app', child);
    expect(test.store.usage().bytes).toBe(0);
  });

  it('but two messages of a conversation are two, whatever they say', async () => {
    await using test = await openTestStore();
    const { id: conversationId } = test.store.conversations.create('app', [{ item: userMessage('yes') }], {});
    saveTurn(test.store, 'yes', { conversationId });
    test.store.conversations.addItems('app', conversationId, [{ item: userMessage('yes') }]);
    const history = [...test.store.responses.historyBackwards('app', { conversationId })];
    expect(new Set(history.map(({ id }) => id)).size).toBe(4);
  });
});

const pageOf = ({ store }: TestStore, owner: string) => {
  const page = store.responses.list(owner, { limit: 9, order: 'asc' });
  return typeof page === 'object' ? page.responses : [];
};

it('an item that a request repeats costs no more each time, and is stored once for each place', async () => {
  await using test = await openTestStore();
  const input = Array.from({ length: 500 }, () => ({ item: userMessage('again') }));
  const read = vi.spyOn(Database.prototype, 'all');
  const ids = [1, 2].map(() => {
    const id = saveTurn(test.store, '', { input });
    return test.store.responses.ownInput('app', id).map((item) => item.id);
  });
  const rows = read.mock.results.reduce((sum, { value }) => sum + value.length, 0);
  read.mockRestore();
  expect(new Set(ids[0]).size).toBe(500);
  expect(ids[1]).toEqual(ids[0]);
  expect(rows).toBeLessThan(2 * 500 + 100);
});

it('an item that is also named by a reference is not taken twice', async () => {
  await using test = await openTestStore();
  const item = userMessage('again');
  const itemsOf = (input: readonly InputItem[]) =>
    test.store.responses.ownInput('app', saveTurn(test.store, '', { input })).map(({ id }) => id);
  const [first = '', second = ''] = itemsOf([{ item }, { item }]);
  expect(itemsOf([{ stored: first }, { item }, { item }])).toEqual([first, second, expect.anything()]);
  const mixed = itemsOf([{ item }, { stored: second }, { item }]);
  expect(mixed.slice(0, 2)).toEqual([first, second]);
  expect(new Set(mixed).size).toBe(3);
});
