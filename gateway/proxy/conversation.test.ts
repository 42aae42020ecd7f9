import { describe, expect, it } from 'vitest';
import type { CompletionShape } from '../api/route-table.ts';
import { identifyConversation, readSession } from './conversation.ts';

const user = (content: string) => ({ role: 'user', content });
const idOf = (fields: object, headers = {}, key: string | undefined = 'key', shape?: CompletionShape) =>
  identifyConversation(readSession(headers), fields as Readonly<Record<string, unknown>>, key, shape);

describe('a conversation', () => {
  it.each([
    ['a header', {}, { 'x-session-id': 's' }],
    ['prompt_cache_key', { prompt_cache_key: 's' }, {}],
    ['metadata.user_id', { metadata: { user_id: 's' } }, {}],
  ])('is named by %s, whatever its messages are', (_, fields, headers) => {
    const named = (content: string, from = 'key') =>
      idOf({ ...fields, messages: [user(content)] }, headers, from);
    expect(named('a')).toBe(named('b'));
    expect(named('a')).not.toBe(named('a', 'another key'));
  });

  it('is recognised by its beginning: all up to the first message of the user', () => {
    const system = { role: 'system', content: 'Be brief.' };
    const first = idOf({ messages: [system, user('a')] });
    expect(idOf({ messages: [system, user('a'), { role: 'assistant', content: 'x' }, user('b')] })).toBe(
      first,
    );
    expect(idOf({ messages: [system, user('b')] })).not.toBe(first);
    expect(idOf({ input: [user('a')] })).toBe(idOf({ messages: [user('a')] }));
    expect(idOf({ system: 'x', messages: [user('a')] })).not.toBe(idOf({ messages: [user('a')] }));
  });

  it('is the same when its beginning is read from the store', () => {
    const responseId = (input: unknown) => idOf({ input }, {}, 'key', 'response');
    const first = responseId('a');
    expect(responseId([user('a')])).toBe(first);
    const stored = {
      id: 'msg_1',
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'a' }],
    };
    expect(responseId([stored, { role: 'assistant', content: 'x' }, user('b')])).toBe(first);
    expect(responseId('b')).not.toBe(first);
    const image = { type: 'input_image', image_url: 'data:' };
    expect(responseId([{ ...stored, content: [...stored.content, image] }])).not.toBe(first);
  });

  it('is the key where there is nothing else: embeddings of one client come from one model', () => {
    expect(idOf({ input: 'a' })).toBe(idOf({ input: ['b', 'c'] }));
    expect(idOf({ input: 'a' })).not.toBe(idOf({ input: 'a' }, {}, 'other'));
  });
});
