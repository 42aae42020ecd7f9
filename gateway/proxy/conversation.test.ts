import { describe, expect, it } from 'vitest';
import { identifyConversation } from './conversation.ts';

const user = (content: string) => ({ role: 'user', content });
const idOf = (fields: object, headers = {}, key: string | undefined = 'key') =>
  identifyConversation(headers, fields as Readonly<Record<string, unknown>>, key);

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

  it('is the key where there is nothing else: embeddings of one client come from one model', () => {
    expect(idOf({ input: 'a' })).toBe(idOf({ input: ['b', 'c'] }));
    expect(idOf({ input: 'a' })).not.toBe(idOf({ input: 'a' }, {}, 'other'));
  });
});
