import { expect, it } from 'vitest';
import { openTestStore } from '../../../test/harness/open-test-store.ts';
import { createInBackground } from '../../../test/harness/stored-responses.ts';
import { conversationLocked } from '../../errors/responses-catalogue.ts';
import { ConversationLocks } from './conversation-locks.ts';

it('a conversation has one response at a time, and another key cannot see that', async () => {
  await using test = await openTestStore();
  const locks = new ConversationLocks(() => test.store);
  const first = locks.acquire('app', 'conv_1');
  expect(() => locks.acquire('app', 'conv_1')).toThrow(conversationLocked());
  expect(() => locks.requireFree('app', 'conv_1')).toThrow(conversationLocked());
  locks.requireFree('other', 'conv_1');
  for (const [owner, id] of [
    ['other', 'conv_1'],
    ['app', 'conv_2'],
  ] as const)
    locks.acquire(owner, id)[Symbol.dispose]();
  first[Symbol.dispose]();
  locks.requireFree('app', 'conv_1');
  using _ = locks.acquire('app', 'conv_1');
  first[Symbol.dispose]();
  expect(() => locks.acquire('app', 'conv_1')).toThrow(conversationLocked());
});

it('a response in the background holds its conversation until it has ended', async () => {
  await using test = await openTestStore();
  const locks = new ConversationLocks(() => test.store);
  const { id: conversationId } = test.store.conversations.create('app', [], {});
  const { id } = createInBackground(test.store, 'hello', { conversationId });
  expect(() => locks.requireFree('app', conversationId)).toThrow(conversationLocked());
  expect(() => locks.requireNoBackground('app', conversationId)).toThrow(conversationLocked());
  locks.requireFree('other', conversationId);
  test.store.responses.cancel('app', id);
  locks.requireFree('app', conversationId);
});
