import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { createInBackground, saveTurn, textsOf, userMessage } from '../test/harness/stored-responses.ts';
import { storeFileName } from './store.ts';

const tables = [
  ...(['items', 'responses', 'response_items', 'response_events'] as const),
  ...(['conversations', 'conversation_items', 'response_usage'] as const),
];

/** The rows of each table that has some. */
function rowsOf({ folder }: TestStore): Record<string, number> {
  using db = new DatabaseSync(join(folder, storeFileName));
  const count = (table: string) => Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
  return Object.fromEntries(tables.map((table) => [table, count(table)]).filter(([, rows]) => rows !== 0));
}

const historyOf = ({ store }: TestStore, previousId: string) =>
  textsOf(store.responses.historyBackwards('app', { previousId }));

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('of responses (%s)', (_, key) => {
  it('that are deleted, one in the middle or the first stays in the history of the others', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const root = saveTurn(test.store, 'a');
    const middle = saveTurn(test.store, 'b', { previousId: root });
    const leaf = saveTurn(test.store, 'c', { previousId: middle });
    for (const id of [middle, root]) {
      expect(responses.delete('app', id)).toBe(true);
      expect(responses.delete('app', id)).toBe(false);
      expect(responses.get('app', id)).toBeUndefined();
      expect(historyOf(test, id)).toEqual([]);
      expect(historyOf(test, leaf)).toEqual(['a', 'A', 'b', 'B', 'c', 'C']);
    }
    expect(responses.list('app', { limit: 9, order: 'asc' })).toMatchObject({ responses: [{ id: leaf }] });
    expect(responses.findItem('app', firstItemOf(test, leaf))).toBeUndefined();
    expect(responses.delete('app', leaf)).toBe(true);
    expect(rowsOf(test)).toEqual({});
  });

  it('and conversations, deletion in any order leaves the histories of the others whole, and in the end nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ parent: fc.nat(), kind: fc.nat(3) }), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        async (turns, choices) => {
          await using test = await openTestStore({ key });
          const { conversations, responses } = test.store;
          const talks = [0, 1].map(() => conversations.create('app', [], { a: 'b' }).id);
          const ids: string[] = [];
          const histories = new Map<string, string[]>();
          const said = new Map(talks.map((id) => [id, [] as string[]]));
          for (const [index, { parent, kind }] of turns.entries()) {
            const talk = kind < 2 ? talks[kind] : undefined;
            const previousId = kind === 2 ? ids[parent % (ids.length || 1)] : undefined;
            const id = saveTurn(test.store, `t${index}`, { previousId, conversationId: talk });
            const texts = [`t${index}`, `T${index}`];
            histories.set(id, [...(said.get(talk ?? '') ?? histories.get(previousId ?? '') ?? []), ...texts]);
            said.get(talk ?? '')?.push(...texts);
            ids.push(id);
          }
          const all = [...ids, ...talks];
          while (all.length > 0) {
            const [gone = ''] = all.splice((choices.next().value ?? 0) % all.length, 1);
            expect(
              gone.startsWith('conv_') ? conversations.delete('app', gone) : responses.delete('app', gone),
            ).toBe(true);
            for (const id of all)
              if (id.startsWith('resp_')) expect(historyOf(test, id)).toEqual(histories.get(id));
              else expect(conversations.get('app', id)?.metadata).toEqual({ a: 'b' });
          }
          expect(rowsOf(test)).toEqual({});
        },
      ),
      { numRuns: 15 },
    );
  });
});

it('deletion also removes what was to be generated, and its events', async () => {
  await using test = await openTestStore();
  const { responses } = test.store;
  const { id } = createInBackground(test.store, 'a');
  responses.begin(id);
  responses.appendEvents(id, [{ sequence: 0, text: 'event' }]);
  expect(responses.delete('app', id)).toBe(true);
  expect(responses.open()).toEqual([]);
  expect(responses.appendEvents(id, [{ sequence: 1, text: 'late' }])).toBe(false);
  expect(responses.finish(id, 'completed', { output: [] })).toBe(false);
  expect(responses.requestOf(id)).toBeUndefined();
  expect(rowsOf(test)).toEqual({});
});

it('a chain of thousands is removed by and by, after it is gone for its owner', async () => {
  await using test = await openTestStore();
  const { store } = test;
  let id: string | undefined;
  for (let turn = 0; turn < 1200; turn++)
    id = saveTurn(store, `t${turn}`, { previousId: id, createdAt: 1000 });
  const late = saveTurn(store, 'late', { previousId: id });
  expect(await store.sweep()).toMatchObject({ responses: 1200 });
  expect(historyOf(test, late)).toHaveLength(2402);
  store.responses.delete('app', late);
  expect(store.usage()).toMatchObject({ responses: 0 });
  expect(rowsOf(test).responses).toBeLessThan(1200);
  await store.sweep();
  expect(rowsOf(test)).toEqual({});
});

it('what is continued while it is deleted is not stored without its history', async () => {
  await using test = await openTestStore();
  const { store } = test;
  const gone = saveTurn(store, 'a');
  const kept = saveTurn(store, 'b');
  const child = saveTurn(store, 'c', { previousId: kept });
  for (const id of [gone, kept]) store.responses.delete('app', id);
  const before = rowsOf(test);
  expect(() => saveTurn(store, 'd', { previousId: gone })).toThrow(`${gone} was deleted meanwhile`);
  const foreign = { owner: 'other', previousId: child };
  expect(() => saveTurn(store, 'e', foreign)).toThrow('was deleted meanwhile');
  expect(() => saveTurn(store, 'f', { conversationId: 'conv_0' })).toThrow('conv_0 was deleted meanwhile');
  expect(rowsOf(test)).toEqual(before);
  const sibling = saveTurn(store, 'g', { previousId: kept });
  expect(historyOf(test, sibling)).toEqual(['b', 'B', 'g', 'G']);
});

it('nothing continues what is not yet removed in all its parts', async () => {
  await using test = await openTestStore();
  const { store } = test;
  const items = Array.from({ length: 300 }, (_, n) => ({ item: userMessage(`m${n}`) }));
  const { id } = store.conversations.create('app', items, {});
  store.conversations.delete('app', id);
  expect(rowsOf(test)).toMatchObject({ conversations: 1 });
  expect(() => saveTurn(store, 'c', { conversationId: id })).toThrow(`${id} was deleted meanwhile`);
  await store.sweep();
  expect(rowsOf(test)).toEqual({});
});

function firstItemOf({ store }: TestStore, previousId: string): string {
  return [...store.responses.historyBackwards('app', { previousId })].at(-1)?.id ?? '';
}
