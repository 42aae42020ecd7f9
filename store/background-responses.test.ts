import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { assistantMessage, createInBackground, saveTurn, textsOf } from '../test/harness/stored-responses.ts';

const events = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    sequence: first + index,
    text: `event ${first + index}`,
  }));
const numbersOf = (list: readonly { sequence: number }[]) => list.map(({ sequence }) => sequence);

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('a background response (%s)', (_, key) => {
  it('is queued, generated from its request and its history, and ends as it was told', async () => {
    await using test = await openTestStore({ key, role: 'gateway' });
    const runner = test.open('runner').responses;
    const { responses } = test.store;
    const previousId = saveTurn(test.store, 'a');
    const { id } = createInBackground(test.store, 'b', { previousId });
    expect(runner.open()).toMatchObject([
      { id, owner: 'app', status: 'queued', background: true, previousId },
    ]);
    responses.delete('app', previousId);
    expect(textsOf(runner.historyBackwards('app', { before: id }))).toEqual(['a', 'A']);
    const asked = runner.requestOf(id);
    expect(asked).toMatchObject({ owner: 'app', request: { model: 'demo', temperature: 0.5 } });
    expect(textsOf(asked?.input ?? [])).toEqual(['b']);
    expect(runner.begin(id)).toBe(true);
    expect(responses.get('app', id)).toMatchObject({
      status: 'in_progress',
      object: { status: 'in_progress' },
    });
    expect(runner.appendEvents(id, events(0, 3))).toBe(true);
    const output = [assistantMessage('B')];
    // Another target of an alias may have answered.
    const object = { id, object: 'response', status: 'completed', model: 'other', output };
    expect(runner.finish(id, 'completed', object, events(4, 5))).toBe(true);
    expect(runner.finish(id, 'failed', { ...object, output: [] })).toBe(false);
    expect(runner.begin(id)).toBe(false);
    expect(responses.get('app', id)).toMatchObject({ status: 'completed', model: 'other', object });
    expect(numbersOf(responses.eventsAfter(id, -1, 99))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(responses.statusOf('app', id)).toBe('completed');
    expect(responses.statusOf('other', id)).toBeUndefined();
    expect(runner.open()).toEqual([]);
    expect(runner.requestOf(id)).toBeUndefined();
    expect(textsOf(responses.historyBackwards('app', { previousId: id }))).toEqual(['a', 'A', 'b', 'B']);
  });

  it('is stored with its first events, or not at all', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const unwritable = {
      sequence: 1,
      get text(): string {
        throw new Error('the disk is full');
      },
    };
    const first = events(0, 0);
    expect(() => createInBackground(test.store, 'a', { events: [...first, unwritable] })).toThrow('full');
    expect(responses.open()).toEqual([]);
    const { id } = createInBackground(test.store, 'a', { events: first });
    expect(responses.eventsAfter(id, -1, 99)).toEqual(first);
  });

  it('is the only one of its conversation that has not ended', async () => {
    await using test = await openTestStore({ key });
    const { responses, conversations } = test.store;
    const { id: conversationId } = conversations.create('app', [], {});
    const sent = { conversationId, idempotencyKey: 'k', requestDigest: 'd' };
    const { id } = createInBackground(test.store, 'a', sent);
    expect(() => createInBackground(test.store, 'b', { conversationId })).toThrow('conversation-locked');
    expect(createInBackground(test.store, 'a', sent).id).toBe(id);
    expect(responses.open()).toMatchObject([{ id }]);
    responses.cancel('app', id);
    createInBackground(test.store, 'b', { conversationId });
  });

  it('has each event once, in its order, also if it is appended again', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const { id } = createInBackground(test.store, 'a');
    responses.appendEvents(id, events(0, 4));
    responses.appendEvents(id, events(3, 6));
    responses.appendEvents(id, events(2, 5));
    expect(responses.eventsAfter(id, -1, 99)).toEqual(events(0, 6));
    expect(responses.eventsAfter(id, 1, 4)).toEqual(events(2, 5));
    expect(responses.eventsAfter(id, 6, 4)).toEqual([]);
    expect(responses.eventsAfter('resp_0', -1, 4)).toEqual([]);
  });

  it('begins anew without using the number of an event twice', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const { id } = createInBackground(test.store, 'a');
    responses.appendEvents(id, events(0, 4));
    expect(responses.firstEvent(id)).toBe(0);
    expect(responses.restart(id)).toBe(1);
    expect(responses.firstEvent(id)).toBe(5);
    expect(responses.restart(id)).toBe(2);
    responses.appendEvents(id, events(4, 6));
    expect(responses.eventsAfter(id, -1, 99)).toEqual(events(5, 6));
    expect(responses.firstEvent(id)).toBe(5);
    responses.cancel('app', id);
    expect(responses.restart(id)).toBeUndefined();
  });

  it('ends at once when it is cancelled, by its owner, and only if it has not ended', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const { id } = createInBackground(test.store, 'a');
    expect(responses.cancel('other', id)).toBeUndefined();
    expect(responses.cancel('app', id)).toMatchObject({
      status: 'cancelled',
      object: { status: 'cancelled', output: [] },
    });
    expect(responses.cancel('app', id)?.status).toBe('cancelled');
    expect(responses.finish(id, 'completed', { output: [assistantMessage('B')] })).toBe(false);
    expect(responses.get('app', id)?.completedAt).toBeGreaterThan(1.7e9);
    const told = saveTurn(test.store, 'b');
    expect(responses.cancel('app', told)).toMatchObject({ status: 'completed', background: false });
  });

  it('of a conversation sees what was there when it was created, and adds its items when it ends', async () => {
    await using test = await openTestStore({ key });
    const { conversations, responses } = test.store;
    const { id: conversationId } = conversations.create('app', [], {});
    saveTurn(test.store, 'a', { conversationId });
    const { id } = createInBackground(test.store, 'b', { conversationId });
    expect(responses.openInConversation('app', conversationId)).toBe(id);
    expect(responses.openInConversation('other', conversationId)).toBeUndefined();
    saveTurn(test.store, 'c', { conversationId });
    expect(textsOf(responses.historyBackwards('app', { before: id }))).toEqual(['a', 'A']);
    responses.finish(id, 'completed', { status: 'completed', output: [assistantMessage('B')] });
    expect(responses.openInConversation('app', conversationId)).toBeUndefined();
    const all = textsOf(responses.historyBackwards('app', { conversationId }));
    expect(all).toEqual(['a', 'A', 'c', 'C', 'b', 'B']);
  });
});

it('is created once for the same idempotency key and request; another request conflicts', async () => {
  await using test = await openTestStore();
  const { responses } = test.store;
  const request = { idempotencyKey: 'k', requestDigest: 'd' };
  const first = createInBackground(test.store, 'a', request);
  expect(createInBackground(test.store, 'a', request)).toEqual(first);
  expect(() => createInBackground(test.store, 'a', { ...request, requestDigest: 'e' })).toThrow(
    'idempotency-conflict',
  );
  expect(createInBackground(test.store, 'a', { ...request, owner: 'other' }).id).not.toBe(first.id);
  expect(responses.open()).toHaveLength(2);
  responses.delete('app', first.id);
  expect(createInBackground(test.store, 'a', request).id).not.toBe(first.id);
});
