import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, createRunningBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import {
  createInBackground,
  noResponses,
  saveTurn,
  textsOf,
  userMessage,
} from '../test/harness/stored-responses.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { newId } from './ids.ts';
import { storeFileName } from './store.ts';

const now = () => Math.floor(Date.now() / 1000);
const HOUR = 3600;
const contentsOf = (folder: string) => readdirSync(join(folder, 'files')).sort();
const result = [{ number: 1, state: 'completed' as const, text: 'one' }];

describe('a sweep', () => {
  it('removes files and batches when their time is over', async () => {
    await using test = await openTestStore({ retention: 10 * HOUR });
    const { store } = test;
    await storeFile(store, 'x', { expiresAt: now() + HOUR });
    const common = await storeFile(store, 'x');
    const ended = await createBatch(store, { inputFileId: common.id });
    store.batches.transition(ended.id, 'failed');
    expect(await store.sweep()).toEqual({ files: 0, batches: 0, ...noResponses });
    expect(await store.sweep(now() + HOUR)).toEqual({ files: 1, batches: 0, ...noResponses });
    expect(contentsOf(test.folder)).toEqual([common.id]);
    expect(await store.sweep(now() + 10 * HOUR + 1)).toEqual({ files: 1, batches: 1, ...noResponses });
    expect(contentsOf(test.folder)).toEqual([]);
    expect(store.batches.get('app', ended.id)).toBeUndefined();
    expect(store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
  });

  it('keeps what an unfinished batch needs', async () => {
    await using test = await openTestStore({ retention: HOUR });
    const { store } = test;
    const { id, inputFileId } = await createRunningBatch(store, 2);
    await store.batches.finishLines(id, result);
    expect(await store.sweep(now() + 2 * HOUR)).toEqual({ files: 0, batches: 0, ...noResponses });
    expect(await readText(store, inputFileId)).toBe('content');
    store.batches.transition(id, 'finalizing');
    const ended = store.batches.transition(id, 'completed');
    expect(await readText(store, ended?.outputFileId)).toBe('one\n');
    expect(contentsOf(test.folder)).toEqual([ended?.outputFileId]);
  });

  it('removes much piece by piece: its process goes on meanwhile', async () => {
    await using test = await openTestStore({ retention: HOUR });
    const { store } = test;
    for (let turn = 0; turn < 700; turn++) saveTurn(store, `t${turn}`, { createdAt: 1000 });
    await Promise.all(Array.from({ length: 450 }, () => storeFile(store, 'x')));
    const seen = { files: new Set<number>(), responses: new Set<number>() };
    let isSwept = false;
    const swept = store.sweep(now() + HOUR + 1).finally(() => {
      isSwept = true;
    });
    while (!isSwept) {
      const { files, responses } = store.usage();
      seen.files.add(files);
      seen.responses.add(responses);
      await nextTurn();
    }
    expect(await swept).toEqual({ files: 450, batches: 0, responses: 700, conversations: 0 });
    expect(seen).toEqual({ files: new Set([250, 50, 0]), responses: new Set([700, 500, 300, 100, 0]) });
    expect(contentsOf(test.folder)).toEqual([]);
  });

  it('removes what a crash has left behind, but no upload that goes on', async () => {
    await using test = await openTestStore();
    const kept = await storeFile(test.store, 'x');
    const path = (name: string) => join(test.folder, 'files', name);
    const [left, current] = [newId('file-'), newId('file-')];
    for (const name of [left, current]) writeFileSync(path(name), 'x');
    const longAgo = now() - 2 * HOUR;
    for (const name of [left, kept.id]) utimesSync(path(name), longAgo, longAgo);
    await test.store.sweep();
    expect(contentsOf(test.folder)).toEqual([kept.id, current].sort());
  });

  it('leaves alone what is not its own in a folder of the same name', async () => {
    await using test = await openTestStore();
    const path = (name: string) => join(test.folder, 'files', name);
    const foreign = [
      'file-1.txt',
      'lost+found',
      'notes.txt',
      `old-${newId('file-')}`,
      `${newId('file-')}.bak`,
    ];
    mkdirSync(path('lost+found'));
    for (const name of foreign) if (name !== 'lost+found') writeFileSync(path(name), 'x');
    const longAgo = now() - 2 * HOUR;
    for (const name of foreign) utimesSync(path(name), longAgo, longAgo);
    await test.store.sweep();
    await test.store.purge({});
    expect(contentsOf(test.folder)).toEqual(foreign.toSorted());
  });
});

describe('a sweep of responses', () => {
  it('removes those that ended before the retention, and what nobody has used since', async () => {
    await using test = await openTestStore({ retention: 10 * HOUR });
    const { store } = test;
    const root = saveTurn(store, 'a', { createdAt: now() - 11 * HOUR });
    const leaf = saveTurn(store, 'b', { previousId: root });
    const { id: conversationId } = store.conversations.create('app', [], {});
    const turn = saveTurn(store, 'c', { conversationId, createdAt: now() - 11 * HOUR });
    const open = createInBackground(store, 'd', { createdAt: now() - 11 * HOUR });
    expect(await store.sweep()).toEqual({ files: 0, batches: 0, responses: 2, conversations: 0 });
    for (const id of [root, turn]) expect(store.responses.get('app', id)).toBeUndefined();
    const texts = (of: object) => textsOf(store.responses.historyBackwards('app', of));
    expect(texts({ previousId: leaf })).toEqual(['a', 'A', 'b', 'B']);
    expect(texts({ conversationId })).toEqual(['c', 'C']);
    expect(await store.sweep(now() + 10 * HOUR + 1)).toEqual({
      files: 0,
      batches: 0,
      responses: 1,
      conversations: 1,
    });
    expect(store.responses.open().map(({ id }) => id)).toEqual([open.id]);
    store.responses.cancel('app', open.id);
    expect(await store.sweep()).toMatchObject({ responses: 1 });
    expect(store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
  });

  it('drops the events of a background response an hour after its end, and keeps the response', async () => {
    await using test = await openTestStore();
    const { responses } = test.store;
    const { id } = createInBackground(test.store, 'a');
    responses.appendEvents(id, [{ sequence: 0, text: 'x' }]);
    await test.store.sweep(now() + 2 * HOUR);
    responses.finish(id, 'completed', { status: 'completed', output: [] }, [{ sequence: 1, text: 'y' }]);
    await test.store.sweep();
    expect(responses.eventsAfter(id, -1, 9)).toHaveLength(2);
    await test.store.sweep(now() + HOUR + 1);
    expect(responses.eventsAfter(id, -1, 9)).toEqual([]);
    expect(responses.firstEvent(id)).toBe(2);
    expect(responses.get('app', id)?.status).toBe('completed');
  });
});

describe('a purge of responses', () => {
  it('of an owner leaves nothing of it, and all of the others', async () => {
    await using test = await openTestStore();
    const { store } = test;
    for (const owner of ['app', 'other']) {
      const root = saveTurn(store, 'a', { owner });
      saveTurn(store, 'b', { owner, previousId: root });
      const { id: conversationId } = store.conversations.create(owner, [{ item: userMessage('c') }], {});
      saveTurn(store, 'd', { owner, conversationId });
      createInBackground(store, 'e', { owner, previousId: root });
    }
    expect(await test.open('command').purge({ owner: 'app' })).toEqual({
      files: 0,
      batches: 0,
      responses: 4,
      conversations: 1,
    });
    expect(store.usageByOwner()).toEqual([
      { owner: 'other', files: 0, responses: 4, conversations: 1, bytes: store.usage().bytes },
    ]);
    expect(store.responses.open().map(({ owner }) => owner)).toEqual(['other']);
    expect(await store.purge({})).toMatchObject({ responses: 4, conversations: 1 });
    expect(readFileSync(join(test.folder, 'store.sqlite'), 'latin1')).not.toContain('input_text');
  });

  it('of what is older than a time keeps what has not ended, and what was used since', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const old = { createdAt: now() - 2 * HOUR };
    const root = saveTurn(store, 'a', old);
    const leaf = saveTurn(store, 'b', { previousId: root });
    store.conversations.create('app', [], {});
    const open = createInBackground(store, 'c', old);
    expect(await store.purge({ before: now() - HOUR })).toMatchObject({ responses: 1, conversations: 0 });
    expect(textsOf(store.responses.historyBackwards('app', { previousId: leaf }))).toHaveLength(4);
    expect(await store.purge({ before: now() + HOUR })).toMatchObject({ responses: 1, conversations: 1 });
    expect(store.responses.get('app', open.id)?.status).toBe('queued');
  });
});

it('the database becomes smaller by a purge, whatever stays in it', async () => {
  await using test = await openTestStore();
  const { store } = test;
  const long = 'x'.repeat(4000);
  for (let turn = 0; turn < 200; turn++)
    for (const owner of ['app', 'other']) saveTurn(store, `${long}${turn}`, { owner });
  const size = () => {
    store.sync();
    return statSync(join(test.folder, storeFileName)).size;
  };
  const full = size();
  await test.open('command').purge({ owner: 'app' });
  expect(size()).toBeLessThan(full * 0.6);
  expect(store.usage()).toMatchObject({ responses: 200 });
  await test.open('command').purge({});
  expect(size()).toBeLessThan(full * 0.2);
});

describe('a purge', () => {
  it('of an owner leaves nothing of it, and all of the others', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const { id } = await createRunningBatch(store, 2);
    await store.batches.finishLines(id, result);
    const other = await createBatch(store, { owner: 'other' });
    expect(await test.open('command').purge({ owner: 'app' })).toEqual({
      files: 1,
      batches: 1,
      ...noResponses,
    });
    expect(contentsOf(test.folder)).toEqual([other.inputFileId]);
    expect(store.batches.open()).toEqual([other]);
    expect(store.batches.nextLines(id, 9)).toEqual([]);
    expect(store.usageByOwner().map(({ owner }) => owner)).toEqual(['other']);
  });

  it('of what is older than a time keeps unfinished batches with their files', async () => {
    await using test = await openTestStore();
    const { store } = test;
    await storeFile(store, 'x');
    const running = await createRunningBatch(store, 1);
    const ended = await createBatch(store);
    store.batches.transition(ended.id, 'failed');
    expect(store.previewPurge({ before: now() + HOUR })).toEqual({
      files: 2,
      batches: 1,
      ...noResponses,
      bytes: 8,
    });
    expect(await store.purge({ before: now() - HOUR })).toEqual({ files: 0, batches: 0, ...noResponses });
    expect(await store.purge({ before: now() + HOUR })).toEqual({ files: 2, batches: 1, ...noResponses });
    expect(contentsOf(test.folder)).toEqual([running.inputFileId]);
    expect(store.batches.open().map(({ id }) => id)).toEqual([running.id]);
    expect(await readText(store, running.inputFileId)).toBe('content');
  });

  it('is counted before: what is in its scope, and nothing else', async () => {
    await using test = await openTestStore();
    const { store } = test;
    await storeFile(store, 'x');
    await createRunningBatch(store, 1);
    await storeFile(store, 'other', { owner: 'other' });
    saveTurn(store, 'hello', { createdAt: now() - 2 * HOUR });
    createInBackground(store, 'hello', { createdAt: now() - 2 * HOUR });
    store.conversations.create('app', [{ item: userMessage('hello') }], {});
    const nothing = { files: 0, batches: 0, ...noResponses, bytes: 0 };
    const scopes = [
      [{ owner: 'app', before: now() - HOUR }, { responses: 1 }],
      [
        { owner: 'app', before: now() + HOUR },
        { files: 1, bytes: 1, responses: 1, conversations: 1 },
      ],
      [{ owner: 'app' }, { files: 2, bytes: 8, batches: 1, responses: 2, conversations: 1 }],
      [{ owner: 'nobody' }, {}],
      [{}, { files: 3, bytes: 13, batches: 1, responses: 2, conversations: 1 }],
    ] as const;
    for (const [scope, found] of scopes)
      expect([scope, store.previewPurge(scope)]).toEqual([scope, { ...nothing, ...found }]);
    const { bytes: _, ...counts } = store.previewPurge({});
    expect(await store.purge({})).toEqual(counts);
    expect(store.previewPurge({})).toEqual(nothing);
  });

  it('of everything also removes results that are being written', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const { id, inputFileId } = await createRunningBatch(store, 1);
    const written = store.batches.finishLines(id, [
      { number: 1, state: 'completed', text: 'x'.repeat(20_000_000) },
    ]);
    await waitFor('the result on disk', () => contentsOf(test.folder).length === 2);
    await store.purge({});
    await written;
    expect(contentsOf(test.folder)).toEqual([]);
    expect(existsSync(join(test.folder, 'files', inputFileId))).toBe(false);
  });
});
